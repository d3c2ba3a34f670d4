import { expect, it } from "vitest";

import { localPath } from "./local-path.ts";

it.each([
  ["/", "/"],
  ["/@ann/dev/apps/web/?a=b", "/@ann/dev/apps/web/?a=b"],
  ["/api/v2/x?u=https%3A%2F%2Fa.test%2F", "/api/v2/x?u=https%3A%2F%2Fa.test%2F"],
  ["/a#b", "/a"],
  ['/a"b c', "/a%22b%20c"],
])("goes to %s", (text, path) => {
  expect(localPath(text)).toBe(path);
});

it.each([
  "",
  "https://evil.test/",
  "//evil.test/",
  "/\\evil.test/",
  "\\\\evil.test",
  "/\t/evil.test",
  "/\n/evil.test",
  "javascript:alert(1)",
  "evil.test",
  "/.//evil.test",
  "/a/..//evil.test",
])("does not go to %j", (text) => {
  expect(localPath(text)).toBe("/");
});
