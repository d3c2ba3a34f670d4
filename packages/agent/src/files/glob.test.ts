import { expect, it } from "vitest";

import { expandBraces, globPattern } from "./glob.ts";

it("has no pattern for what could take forever, or is none", () => {
  expect(globPattern("*a*a*a*a*b")).toBeUndefined();
  expect(globPattern("**/**/**/**/b")).toBeUndefined();
  expect(globPattern("[z-a]")).toBeUndefined();
});

it.each<[string, readonly string[]]>([
  ["*.{ts,js}", ["*.ts", "*.js"]],
  ["{a,b{c,d}}/{e}", ["a/e", "bc/e", "bd/e"]],
  ["a{,b}", ["a", "ab"]],
  [String.raw`\{a,b}`, [String.raw`\{a,b}`]],
  ["{a", ["{a"]],
  ["a}", ["a}"]],
])("%j stands for %j", (glob, globs) => {
  expect(expandBraces(glob)).toEqual(globs);
});

it("expands braces only as far as there are few alternatives", () => {
  expect(expandBraces("{a,b}".repeat(6))).toHaveLength(64);
  expect(expandBraces("{a,b}".repeat(50))).toBeUndefined();
});
