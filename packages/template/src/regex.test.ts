import fc from "fast-check";
import { RE2JS } from "re2js";
import { describe, expect, it } from "vitest";

import { maxRegexSize, maxRegexSteps } from "./limits.ts";
import { estimateRegexSize } from "./regex-size.ts";
import { RegexMatcher, regexProblem, regexSize } from "./regex.ts";

describe("regexProblem", () => {
  it.each([
    "^a+$",
    "(?:a|b)",
    "(?<name>a)",
    "(?P<name>a)",
    "\\\\1",
    "[?=]",
    "\\p{L}",
    "\\A",
    "(?i)a",
    "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
    "^.{1,255}$",
  ])("takes %s", (source) => {
    expect(regexProblem(source)).toBeUndefined();
  });

  it.each([
    ["(", "found a regular expression that does not compile with RE2: missing closing ): `(`"],
    ["(?=a)", "found `(?=`, wanted no look-around: RE2, which checks values, does not support it"],
    ["(?!a)", "found `(?!`, wanted no look-around: RE2, which checks values, does not support it"],
    [
      "(?<=a)",
      "found `(?<=`, wanted no look-around: RE2, which checks values, does not support it",
    ],
    [
      "(?<!a)",
      "found `(?<!`, wanted no look-around: RE2, which checks values, does not support it",
    ],
    [
      "(a)\\1",
      "found `\\1`, wanted no back-reference: RE2, which checks values, does not support it",
    ],
    [
      "(?<n>a)\\k<n>",
      "found `\\k`, wanted no back-reference: RE2, which checks values, does not support it",
    ],
    [
      "\\u0041",
      "found a regular expression that does not compile with RE2: invalid escape sequence: `\\u`",
    ],
    ["a{1001}", "found a regular expression of 1001 instructions, wanted at most 1000"],
    ["a".repeat(513), "found 513 characters, wanted at most 512"],
  ])("refuses %s", (source, wanted) => {
    expect(regexProblem(source)).toContain(wanted);
  });

  it("refuses what compiles to much, before it is compiled", () => {
    for (const source of ["x{1000}".repeat(73), "(x{0,1000})".repeat(40), "((a?){30}){30}"]) {
      expect(estimateRegexSize(source)).toBeGreaterThan(maxRegexSize);
      expect(regexProblem(source)).toMatch(/of \d+ instructions, wanted at most 1000/);
    }
  });
});

describe("estimateRegexSize", () => {
  const token = fc.constantFrom(
    ..."a b é \\d \\pL \\p{Greek} [a-e] []a] [^]a] [[:alpha:]] [[:x] [\\]x] ( (?: (?i: (?<n> ) | * + ? . ^ $ \\b { } [ ]".split(
      " ",
    ),
    ..."{3} {0,9} {2,} {12} {,3} \\Q[\\E \\Qa{9}\\E (?i) \\x{41} \\x41 \\( \\[ \\\\ 😀".split(" "),
  );

  it("is never far below the size, so that little is compiled in vain", () => {
    fc.assert(
      fc.property(fc.array(token, { maxLength: 40 }), (tokens) => {
        const source = tokens.join("");
        const estimate = estimateRegexSize(source);
        fc.pre(estimate <= maxRegexSize);
        let size = 0;
        try {
          size = RE2JS.compile(source).programSize();
        } catch {
          return; // not RE2's
        }
        expect(size).toBeLessThanOrEqual(estimate * 3 + 8);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ["^[a-z ]{1,20}$", 43],
    ["^[0-9a-f]{64}$", 68],
    ["^([a-z]{1,10}\\.){2,8}$", 186],
    ["(?<a_long_name>a){20}", 62],
    ["a{0,9}(?i){12}", 218],
  ])("is near the size of %s", (source, size) => {
    expect(regexSize(source)).toBe(size);
    expect(estimateRegexSize(source)).toBeLessThanOrEqual(size * 1.5);
  });
});

describe("a matcher", () => {
  it("looks anywhere in the value", () => {
    const matcher = new RegexMatcher();
    expect(matcher.match("b", "abc")).toBe("match");
    expect(matcher.match("^b", "abc")).toBe("no-match");
    expect(matcher.match("\\pL", "é")).toBe("match");
  });

  it.each([
    ["^(a+)+$", `${"a".repeat(60)}b`],
    ["^(a|a)*$", `${"a".repeat(10_000)}b`],
    ["(x+x+)+y", "x".repeat(10_000)],
    ["^(([a-z])+.)+[A-Z]([a-z])+$", "a".repeat(5_000)],
  ])("ends where others search for ever: %s", (source, value) => {
    expect(new RegexMatcher().match(source, value)).toBe("no-match");
  });

  it("refuses a value that is too long for the expression", () => {
    const source = "^.{1,255}$";
    const longest = Math.floor(maxRegexSteps / regexSize(source)) - 1;
    const matcher = () => new RegexMatcher();
    expect(matcher().match(source, "a".repeat(longest))).toBe("no-match");
    expect(matcher().match(source, "a".repeat(longest + 1))).toEqual({
      problem: `found ${longest + 1} characters, wanted at most ${longest}, the maximum for matching ^.{1,255}$`,
    });
  });

  it("has steps for all values together, and refuses the rest", () => {
    const matcher = new RegexMatcher();
    const size = regexSize("(a|b)*c");
    const value = "a".repeat(999);
    const many = Math.floor(maxRegexSteps / (size * 1_000));
    const results = Array.from({ length: many + 2 }, () => matcher.match("(a|b)*c", value));
    expect(results.slice(0, many)).toEqual(Array.from({ length: many }, () => "no-match"));
    expect(results.slice(many)).toEqual(
      [many, many].map(() => ({
        problem:
          "cannot be checked: all values together are too long for the template's regular expressions",
      })),
    );
  });

  it("says that a stored expression of another engine cannot be used", () => {
    expect(new RegexMatcher().match("^(?!x)", "a")).toEqual({
      problem:
        "cannot be checked: the template's regular expression ^(?!x) is invalid, found `(?!`, wanted no look-around: RE2, which checks values, does not support it; push a new version of the template",
    });
  });
});
