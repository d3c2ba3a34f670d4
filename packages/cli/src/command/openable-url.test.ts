import { expect, it } from "vitest";

import { readOpenableUrl } from "./openable-url.ts";

it("opens pages and editors", () => {
  expect(readOpenableUrl("https://example.com/a?b=c#d")).toEqual({
    kind: "page",
    href: "https://example.com/a?b=c#d",
  });
  expect(readOpenableUrl("HTTP://EXAMPLE.com")).toEqual({
    kind: "page",
    href: "http://example.com/",
  });
  for (const scheme of ["vscode", "cursor", "jetbrains-gateway", "zed"]) {
    const href = `${scheme}://coder.coder-remote/open?owner=ada&folder=%2Fhome`;
    expect(readOpenableUrl(href)).toEqual({ kind: "editor", href });
  }
});

it.each([
  "javascript:alert(1)",
  "JavaScript://example.com/%0aalert(1)",
  "java\nscript:alert(1)",
  "data:text/html,<script>",
  "file:///etc/passwd",
  "file://host/share/run.exe",
  "smb://host/share",
  "ssh://-oProxyCommand=touch%20x/",
  "ms-msdt:/id",
  "search-ms:query=x",
  "vscode:",
  "vscode:/settings",
  "vscode-webview://x",
  "http:",
  "http://",
  "//example.com",
  "/etc/passwd",
  "--new-window",
  "-a Calculator",
  "example.com",
  "",
  "vscode://x/'",
  `https://example.com/${"a".repeat(20_000)}`,
])("does not open %j", (text) => {
  expect(readOpenableUrl(text)).toBeUndefined();
});

it("takes away what moves a terminal or ends a word", () => {
  expect(readOpenableUrl('vscode://x/`touch y`\t\u0007"&calc\n')?.href).toBe(
    "vscode://x/%60touch%20y%60%07%22&calc",
  );
  const hostile = "https://example.com/\u001b]0;x\u0007\u001b[2J\r\n--flag `x` 'y' \u202e\u009b";
  const opened = readOpenableUrl(hostile);
  expect(opened?.href).toMatch(/^https:\/\/example\.com\/[!-~]*$/);
  expect(opened?.href).not.toMatch(/[\s"\\<>]/);
});
