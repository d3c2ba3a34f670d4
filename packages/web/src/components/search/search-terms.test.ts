import { describe, expect, it } from "vitest";

import { pageParameter, termValue, textParameters, withTerm } from "./search-terms.ts";

it("reads the value of a key, quoted or not, and none of what is excluded", () => {
  expect(termValue("owner:me Status:running -status:failed dev", "status")).toBe("running");
  expect(termValue('template:"my box"', "template")).toBe("my box");
  expect(termValue("-status:failed", "status")).toBeUndefined();
  expect(termValue("substatus:x", "status")).toBeUndefined();
});

it("replaces and removes a key, and keeps all else", () => {
  const q = 'owner:me -status:failed status:running name:"a b"';
  expect(withTerm(q, "status", "stopped")).toBe(
    'owner:me -status:failed name:"a b" status:stopped',
  );
  expect(withTerm(q, "status", undefined)).toBe('owner:me -status:failed name:"a b"');
  expect(withTerm("", "template", "my box")).toBe('template:"my box"');
});

describe("a parameter of an address", () => {
  it("is a text or a number that somebody searches for", () => {
    const search = { a: "a", b: 12, c: "", d: { a: 1 }, e: "other" };
    expect(textParameters(search, "a", "b", "c", "d", "none")).toEqual({ a: "a", b: "12" });
  });

  it("is a page from 2 on", () => {
    expect(pageParameter(2)).toBe(2);
    for (const value of [1, 0, -1, 1.5, "2", Infinity])
      expect(pageParameter(value)).toBe(undefined);
  });
});
