import { expect, it } from "vitest";

import { isIgnored, parseIgnoreRules } from "./ignore-rules.ts";

it.each<[string, string, boolean, boolean]>([
  ["*.log", "a.log", false, true],
  ["*.log", "deep/a.log", false, true],
  ["/a", "a", false, true],
  ["/a", "b/a", false, false],
  ["build/", "build", true, true],
  ["build/", "build", false, false],
  ["a/b", "a/b", false, true],
  ["a/b", "x/a/b", false, false],
  ["a/**/b", "a/b", false, true],
  ["a/**/b", "a/x/y/b", false, true],
  ["**/b", "x/y/b", false, true],
  ["a/**", "a/x/y", false, true],
  ["a?c", "abc", false, true],
  ["a?c", "a/c", false, false],
  ["[ab].c", "b.c", false, true],
  ["[!ab].c", "b.c", false, false],
  ["[!ab].c", "x.c", false, true],
  [String.raw`\#x`, "#x", false, true],
  ["#x", "#x", false, false],
  ["x  ", "x", false, true],
  ["a.c", "abc", false, false],
  ["a(b)+{c}|$^", "a(b)+{c}|$^", false, true],
])("%j: ignores %j (a directory: %s): %s", (rule, path, isDirectory, ignored) => {
  expect(isIgnored(parseIgnoreRules(rule), path, isDirectory) ?? false).toBe(ignored);
});

it("follows the last rule that matches", () => {
  const rules = parseIgnoreRules("*.log\r\n!keep.log\n\n");
  expect(isIgnored(rules, "keep.log", false)).toBe(false);
  expect(isIgnored(rules, "lose.log", false)).toBe(true);
  expect(isIgnored(rules, "other", false)).toBeUndefined();
});
