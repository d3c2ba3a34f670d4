import { expect, it } from "vitest";

import { configDirectory, readServerUrl } from "./stored-session.ts";

it("finds the directory by option, variable and XDG", () => {
  const environment = { XDG_CONFIG_HOME: "/x", CODER_CONFIG_DIR: "/c" };
  expect(configDirectory("/f", environment)).toBe("/f");
  expect(configDirectory(undefined, environment)).toBe("/c");
  expect(configDirectory(undefined, { XDG_CONFIG_HOME: "/x" })).toBe("/x/slipway");
  const home = { HOME: "/home/ada" };
  expect(configDirectory(undefined, home)).toBe("/home/ada/.config/slipway");
  expect(configDirectory(undefined, { ...home, XDG_CONFIG_HOME: "x" })).toBe(
    "/home/ada/.config/slipway",
  );
});

it.each([
  ["slipway.example.com", "https://slipway.example.com"],
  ["localhost:3000", "http://localhost:3000"],
  ["127.0.0.1:3000/", "http://127.0.0.1:3000"],
  ["[::1]:3000", "http://[::1]:3000"],
  ["localhost.example.com", "https://localhost.example.com"],
  [" http://a.example.com/base/ ", "http://a.example.com/base"],
])("reads %s as %s", (typed, url) => {
  expect(readServerUrl(typed)).toBe(url);
});

it.each(["", "ftp://a", "http://", "a b"])("refuses %j", (typed) => {
  expect(() => readServerUrl(typed)).toThrow("is not a server address");
});
