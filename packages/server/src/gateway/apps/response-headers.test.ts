import { describe, expect, it } from "vitest";

import { viewedCookie, viewedHeaders } from "./response-headers.ts";

function viewed(rawHeaders: readonly string[], basePath = "", isSandboxed = false): string[] {
  const at = rawHeaders.indexOf("Connection");
  const headers = at === -1 ? {} : { connection: rawHeaders[at + 1] ?? "" };
  const answer = { rawHeaders: [...rawHeaders], headers };
  return viewedHeaders(answer, { basePath, isSandboxed, isCorsKept: false, added: [] });
}

describe("viewedHeaders", () => {
  it("keeps the spelling, the order and repetitions", () => {
    const raw = ["X-B", "1", "x-a", "2", "X-B", "3", "Set-Cookie", "a=1", "Set-Cookie", "b=2"];
    expect(viewed(raw)).toEqual(raw);
  });

  it("drops what concerns the connection, and who else may read it", () => {
    const raw = [
      "Connection",
      "keep-alive, X-Hop",
      "Keep-Alive",
      "timeout=5",
      "X-Hop",
      "1",
      "Transfer-Encoding",
      "chunked",
      "Access-Control-Allow-Origin",
      "*",
      "X-Own",
      "kept",
    ];
    expect(viewed(raw)).toEqual(["X-Own", "kept"]);
  });

  it("keeps an app at the server's origin to its path", () => {
    const raw = [
      "Clear-Site-Data",
      '"cookies"',
      "Service-Worker-Allowed",
      "/",
      "Alt-Svc",
      "h3",
      "Strict-Transport-Security",
      "max-age=1",
      "Content-Security-Policy",
      "default-src *",
    ];
    expect(viewed(raw, "/@ann/dev/apps/web", true)).toEqual([
      "Content-Security-Policy",
      "default-src *",
      "Content-Security-Policy",
      expect.stringMatching(/^sandbox /),
      "NEL",
      '{"max_age":0}',
    ]);
    expect(viewed(raw)).toEqual(raw);
  });

  it.each([
    "NEL",
    "Report-To",
    "Reporting-Endpoints",
    "Accept-CH",
    "Critical-CH",
    "Use-As-Dictionary",
    "Set-Login",
    "Origin-Agent-Cluster",
    "Speculation-Rules",
    "Secure-Session-Registration",
    "Service-Worker-Navigation-Preload",
    "A-Field-Of-Next-Year",
  ])("lets no app at the server's origin send %s, which may concern all of it", (name) => {
    const cleared = ["NEL", '{"max_age":0}'];
    expect(viewed([name, "x"], "/@ann/dev/apps/web")).toEqual(cleared);
    expect(viewed([name, "x"])).toEqual([name, "x"]);
  });

  it("lets an app at the server's origin say what concerns its response", () => {
    const raw = [
      ["Content-Type", "text/html"],
      ["Content-Disposition", "attachment"],
      ["Content-Range", "bytes 0-1/2"],
      ["Accept-Ranges", "bytes"],
      ["Cache-Control", "max-age=60"],
      ["ETag", '"x"'],
      ["Location", "/x"],
      ["Sec-WebSocket-Accept", "x"],
      ["X-Own", "x"],
      ["X-Accel-Buffering", "no"],
    ].flat();
    expect(viewed(raw, "/@ann/dev/apps/web").slice(0, -2)).toEqual(raw);
  });

  it("has no orders for a proxy before the server", () => {
    const raw = ["X-Accel-Redirect", "/internal", "X-Sendfile", "/etc/passwd"];
    expect(viewed(raw)).toEqual([]);
  });

  it("never gives an app in the sandbox the server's origin", () => {
    const [, policy = ""] = viewed([], "/@ann/dev/apps/web", true);
    expect(policy).not.toContain("same-origin");
    expect(policy).not.toContain("top-navigation");
  });
});

describe("viewedCookie", () => {
  it.each([
    ["a=1", "a=1"],
    ["a=1; Domain=apps.test; Path=/x; HttpOnly", "a=1; Path=/x; HttpOnly"],
    ["a=1;domain=.test ;DOMAIN = test;Secure", "a=1;Secure"],
    [
      "a=b=c; Expires=Wed, 09 Jun 2032 10:18:14 GMT",
      "a=b=c; Expires=Wed, 09 Jun 2032 10:18:14 GMT",
    ],
  ])("of %j is %j at a host of its own", (cookie, expected) => {
    expect(viewedCookie(cookie, "")).toBe(expected);
  });

  it.each([
    ["a=1", "a=1; Path=/@ann/dev/apps/web/"],
    ["a=1; Path=/", "a=1; Path=/@ann/dev/apps/web/"],
    ["a=1; Path=/x; HttpOnly", "a=1; HttpOnly; Path=/@ann/dev/apps/web/x"],
    ["a=1; path=x", "a=1; Path=/@ann/dev/apps/web/"],
    ["a=1; Path=/x; Path=/y; Domain=test", "a=1; Path=/@ann/dev/apps/web/y"],
  ])("of %j is %j at a path", (cookie, expected) => {
    expect(viewedCookie(cookie, "/@ann/dev/apps/web")).toBe(expected);
  });

  it.each([
    "coder_session_token=x",
    " coder_session_token =x",
    "coder_signed_app_token=x; Path=/",
    "coder_subdomain_app_session_token_0123=x",
    "coder_path_app_session_token=x",
    "__Host-coder_session_token=x; Secure; Path=/",
    "slipway_app_login=x",
    "slipway_form",
    "=coder_session_token=x",
    " = coder_session_token=x",
    "==slipway_form=x",
  ])("is none for %j", (cookie) => {
    expect(viewedCookie(cookie, "")).toBeUndefined();
    expect(viewedCookie(cookie, "/@ann/dev/apps/web")).toBeUndefined();
  });
});
