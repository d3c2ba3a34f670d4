import { describe, expect, it } from "vitest";

import { hasMatch, regexProblem } from "./regex.ts";

describe("regexProblem", () => {
  it.each(["^a+$", "(?:a|b)", "(?<name>a)", "\\\\1", "[?=]", "\\p{L}"])("takes %s", (source) => {
    expect(regexProblem(source)).toBeUndefined();
  });

  it.each([
    "(",
    "(?=a)",
    "(?!a)",
    "(?<=a)",
    "(?<!a)",
    "(a)\\1",
    "(?<n>a)\\k<n>",
    "\\A",
    "(?i)a",
    "a".repeat(513),
  ])("refuses %s", (source) => {
    expect(regexProblem(source)).toBeTypeOf("string");
  });
});

describe("hasMatch", () => {
  it("looks anywhere in the value", () => {
    expect(hasMatch("b", "abc")).toBe(true);
    expect(hasMatch("^b", "abc")).toBe(false);
  });

  it("counts an endless search as no match and works afterwards", () => {
    expect(hasMatch("^(a+)+$", `${"a".repeat(60)}b`)).toBe(false);
    expect(hasMatch("a", "a")).toBe(true);
  });
});
