import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import { type OpenableUrl, readOpenableUrl, urlOpener } from "./url-opener.ts";

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

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-opener-"));
});
afterAll(() => rm(directory, { recursive: true }));

/** Creates a launcher of that name with this script. */
async function makeLauncher(name: string, script: string): Promise<NodeJS.ProcessEnv> {
  await writeFile(join(directory, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(directory, name), 0o755);
  return { PATH: `${directory}:/usr/bin:/bin`, DISPLAY: ":0" };
}

const signal = new AbortController().signal;
const page = (href: string): OpenableUrl => ({ kind: "page", href });

it("hands over the URL as one word, whatever it holds", async () => {
  const environment = await makeLauncher("xdg-open", `printf '%s|' "$#" "$1" > ${directory}/seen`);
  const url = "https://example.com/?a=$(touch%20x)&b=;c|d'e*";
  await urlOpener(environment, "linux").open(page(url), signal);
  expect(await readFile(join(directory, "seen"), "utf8")).toBe(`1|${url}|`);
});

it("uses the launcher of the system", async () => {
  const script = `printf '%s ' "$@" > ${directory}/seen`;
  await urlOpener(await makeLauncher("open", script), "darwin").open(page("https://a/"), signal);
  expect(await readFile(join(directory, "seen"), "utf8")).toBe("https://a/ ");
  const environment = await makeLauncher("rundll32.exe", script);
  const subsystem = { ...environment, WSL_DISTRO_NAME: "Debian" };
  await urlOpener(subsystem, "linux").open(page("https://b/"), signal);
  expect(await readFile(join(directory, "seen"), "utf8")).toBe(
    "url.dll,FileProtocolHandler https://b/ ",
  );
});

it("says that a launcher fails or is missing", async () => {
  const environment = await makeLauncher("xdg-open", "exit 3");
  await expect(
    urlOpener(environment, "linux").open({ kind: "editor", href: "zed://x" }, signal),
  ).rejects.toThrow("the URL was not opened: xdg-open ended with 3");
  const bare = { PATH: "/nowhere" };
  await expect(
    urlOpener(bare, "linux").open({ kind: "editor", href: "zed://x" }, signal),
  ).rejects.toThrow(/xdg-open ENOENT/);
});

it("tells where nothing can be opened", () => {
  expect(urlOpener({}, "linux").obstacle).toBe("there is no display");
  expect(urlOpener({ DISPLAY: ":0", CODER: "true" }, "linux").obstacle).toBe("this is a workspace");
  expect(urlOpener({ WAYLAND_DISPLAY: "wayland-0" }, "linux").obstacle).toBeUndefined();
  expect(urlOpener({ WSL_DISTRO_NAME: "Debian" }, "linux").obstacle).toBeUndefined();
  expect(urlOpener({}, "darwin").obstacle).toBeUndefined();
});
