import { describe, expect, it } from "vitest";

import { isTooDeep, maxJsonDepth } from "./json-depth.ts";

const json = (text: string): boolean => isTooDeep(new TextEncoder().encode(text));
const nested = (depth: number): string => `${"[".repeat(depth)}${"]".repeat(depth)}`;

describe("isTooDeep", () => {
  it("counts arrays and objects up to the limit", () => {
    expect(json(nested(maxJsonDepth))).toBe(false);
    expect(json(nested(maxJsonDepth + 1))).toBe(true);
    expect(json(`${'{"a":['.repeat(maxJsonDepth / 2)}1`)).toBe(false);
    expect(json(`${'{"a":['.repeat(maxJsonDepth / 2)}{`)).toBe(true);
  });

  it("counts what is open at once, not how many there are", () => {
    expect(json(`[${"[],{},".repeat(1_000)}1]`)).toBe(false);
  });

  it("leaves out what stands in texts, with and without escapes", () => {
    const brackets = "[".repeat(maxJsonDepth * 2);
    expect(json(`["${brackets}"]`)).toBe(false);
    expect(json(String.raw`["\"${brackets}"]`)).toBe(false);
    expect(json(String.raw`["\\",${brackets}]`)).toBe(true);
    expect(json(`"${brackets}`)).toBe(false);
  });
});
