import { userInfo } from "node:os";

import { expect, it } from "vitest";

import { homeDirectory } from "./home-directory.ts";

const entry = (): string => "/home/ada";

it.each([
  [{ HOME: "/elsewhere" }, "/elsewhere"],
  [{}, "/home/ada"],
  [{ HOME: "" }, "/home/ada"],
  [{ HOME: "home" }, "/home/ada"],
  [{ HOME: "./home" }, "/home/ada"],
])("is of %j", (environment, wanted) => {
  expect(homeDirectory(environment, entry)).toBe(wanted);
});

it("is the root for a user without an entry", () => {
  expect(homeDirectory({}, () => undefined)).toBe("/");
  expect(homeDirectory({ HOME: "home" }, () => "")).toBe("/");
});

it("reads the entry of the user that runs it", () => {
  expect(homeDirectory({})).toBe(userInfo().homedir);
});
