import { describe, expect, it } from "vitest";

import { pageParameter, searchText, textParameters } from "./search-terms.ts";

describe("a search", () => {
  it("joins words and terms", () => {
    expect(searchText(" dev ", { action: "create", username: undefined, type: "" })).toBe(
      "dev action:create",
    );
  });

  it("quotes values with spaces", () => {
    expect(searchText("", { name: "my box" })).toBe('name:"my box"');
  });
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
