import { expect, it } from "vitest";

import { remoteDirectory } from "./vscode.ts";

const linux = { expanded_directory: "/home/ada/src", operating_system: "linux" };
const windows = { expanded_directory: String.raw`C:\src`, operating_system: "windows" };
const bare = { operating_system: "linux" };

it("opens the agent's directory, one below it, or another one", () => {
  expect(remoteDirectory(linux, undefined)).toBe("/home/ada/src");
  expect(remoteDirectory(linux, "site/")).toBe("/home/ada/src/site/");
  expect(remoteDirectory(linux, "../other")).toBe("/home/ada/other");
  expect(remoteDirectory(linux, "/etc")).toBe("/etc");
  expect(remoteDirectory(bare, undefined)).toBeUndefined();
  expect(remoteDirectory(bare, "/etc")).toBe("/etc");
  expect(remoteDirectory(windows, "a/b")).toBe(String.raw`C:\src\a\b`);
  expect(remoteDirectory(windows, "D:/x")).toBe(String.raw`D:\x`);
});

it("refuses paths that need a shell or a base", () => {
  for (const path of ["~", "~/src"]) {
    expect(() => remoteDirectory(linux, path)).toThrow(`"${path}" is not opened: wanted a path`);
  }
  expect(() => remoteDirectory(bare, "src")).toThrow("wanted an absolute path");
});
