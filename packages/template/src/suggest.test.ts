import { describe, expect, it } from "vitest";

import { suggest } from "./suggest.ts";

describe("suggest", () => {
  it.each([
    ["scirpts", "scripts"],
    ["script", "scripts"],
    ["Scripts", "scripts"],
    ["metdata", "metadata"],
    ["zzz", undefined],
    ["", undefined],
    ["apsp", "apps"],
  ])("for %j suggests %s", (word, wanted) => {
    expect(suggest(word, ["scripts", "metadata", "apps"])).toBe(wanted);
  });
});
