import { expect, it } from "vitest";

import { ripgrepPattern } from "./ripgrep-pattern.ts";

it.each([
  ["a.c", "a.c"],
  [String.raw`(?:a|b)+?\.\w{2,3}`, String.raw`(?:a|b)+?\.[0-9A-Za-z_]{2,3}`],
  [String.raw`[^\d\-x]\b`, String.raw`[^0-9\-x](?-u:\b)`],
  ["^é$", "^é$"],
])("translates %s to %s", (pattern, translated) => {
  expect(ripgrepPattern(pattern)).toBe(translated);
});

it.each([
  String.raw`\pL`,
  String.raw`\Qa.b\E`,
  "(?i)a",
  "(?P<name>a)",
  "[[:alpha:]]",
  "[a&&b]",
  String.raw`[^\S]`,
  "[]a]",
  "a{",
  "a{,3}",
  "}",
  "a\nb",
  String.raw`a\nb`,
  "\\",
])("leaves %j to our own search", (pattern) => {
  expect(ripgrepPattern(pattern)).toBeUndefined();
});
