import { describe, expect, it } from "vitest";

import { isSameRedirectUri, parseRedirectUri, receiverOf } from "./redirect-uri.ts";

describe("an address for answers", () => {
  it.each([
    "http://127.0.0.1:33418/",
    "http://localhost/callback",
    "http://[::1]:5000/callback?from=here",
    "https://vscode.dev/redirect",
    "cursor://anysphere.cursor-mcp/oauth/callback",
    "com.example.app:/oauth",
  ])("may be %s", (text) => {
    expect(parseRedirectUri(text)?.href).toBe(new URL(text).href);
  });

  it.each([
    ["another machine without TLS", "http://example.com/callback"],
    ["a name that begins like the own machine", "http://localhost.example.com/"],
    ["an address that contains the own machine's", "http://127.0.0.1.example.com/"],
    ["a user whose name looks like a host", "https://vscode.dev@example.com/"],
    ["a fragment", "https://vscode.dev/#"],
    ["a script", "javascript:alert(1)"],
    ["a script that looks like a URL", "javascript://vscode.dev/%0aalert(1)"],
    ["a script in capitals", "JavaScript://x/"],
    ["data", "data:text/html,x"],
    ["a file", "file:///etc/passwd"],
    ["a scheme without a path", "cursor:callback"],
    ["a path", "/callback"],
    ["another host's path", "//example.com/"],
    ["a line break", "https://vscode.dev/\nx"],
    ["a space", "https://vscode.dev/ x"],
    ["letters that look like others", "https://vsсode.dev/"],
    ["nothing", ""],
  ])("is not %s", (_, text) => {
    expect(parseRedirectUri(text)).toBeUndefined();
  });

  it("is the registered one, on any port of the own machine", () => {
    expect(isSameRedirectUri("http://127.0.0.1:5000/cb", "http://127.0.0.1/cb")).toBe(true);
    expect(isSameRedirectUri("http://localhost:1/cb", "http://localhost:65535/cb")).toBe(true);
    expect(isSameRedirectUri("https://vscode.dev/redirect", "https://vscode.dev/redirect")).toBe(
      true,
    );
  });

  it.each([
    ["http://127.0.0.1:5000/cb2", "http://127.0.0.1/cb"],
    ["http://127.0.0.1:5000/cb?x=1", "http://127.0.0.1/cb"],
    ["http://localhost:5000/cb", "http://127.0.0.1/cb"],
    ["http://127.0.0.1.example.com/cb", "http://127.0.0.1/cb"],
    ["http://127.0.0.1:1@example.com/cb", "http://127.0.0.1/cb"],
    ["https://vscode.dev:444/redirect", "https://vscode.dev/redirect"],
    ["https://vscode.dev/redirect/", "https://vscode.dev/redirect"],
    ["https://vscode.dev/redirect/../x", "https://vscode.dev/redirect"],
    ["https://VSCODE.dev/redirect", "https://vscode.dev/redirect"],
    ["https://vscode.dev/redirect#", "https://vscode.dev/redirect"],
  ])("is not %s for %s", (requested, registered) => {
    expect(isSameRedirectUri(requested, registered)).toBe(false);
  });

  it("names who receives the answer", () => {
    expect(receiverOf("http://127.0.0.1:5000/cb")).toBe(
      "a program on your computer (127.0.0.1:5000)",
    );
    expect(receiverOf("https://xn--vsode-2of.dev/cb")).toBe("the website xn--vsode-2of.dev");
    expect(receiverOf("cursor://x/cb")).toContain("cursor://");
  });
});
