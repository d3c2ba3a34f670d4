import { expect, it } from "vitest";

import { readTagLines, tagTexts } from "./tag-lines.ts";

it("reads a tag from each line, whose value may have more equals signs", () => {
  expect(readTagLines("region=eu\n\n  size = large \nquery=a=b\nnone=\n")).toEqual({
    tags: { region: "eu", size: "large", query: "a=b", none: "" },
  });
  expect(readTagLines("__proto__=x")).toEqual({ tags: Object.fromEntries([["__proto__", "x"]]) });
});

it.each([
  ["region", "Line 1 must be name=value."],
  ["region=eu\nregion eu", "Line 2 must be name=value."],
  [" =eu", "Line 1 must be name=value."],
  ["region=eu\n\nregion=us", "Line 3 repeats the tag region."],
  ["", "A key without tags gets no jobs: enter at least one."],
  [" \n", "A key without tags gets no jobs: enter at least one."],
])("says what is wrong with %j", (text, problem) => {
  expect(readTagLines(text)).toEqual({ problem });
});

it("lists tags by name", () => {
  expect(tagTexts({ size: "large", region: "eu" })).toEqual(["region=eu", "size=large"]);
});
