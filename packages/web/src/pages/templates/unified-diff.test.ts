import { expect, it } from "vitest";

import { parseUnifiedDiff } from "./unified-diff.ts";

it("numbers the lines of each file", () => {
  const diff = [
    "--- slipway.yaml (one)",
    "+++ slipway.yaml (two)",
    "@@ -1,2 +1,3 @@",
    " driver: process",
    "-a: 1",
    "+a: 2",
    "+b: 3",
    "@@ -9 +10 @@",
    "-x",
    "\\ No newline at end of file",
    "+--- y",
    "",
    "--- README.md",
    "+++ README.md",
    "@@ -0,0 +1 @@",
    "+hello",
  ].join("\n");
  const [first, second] = parseUnifiedDiff(diff);
  expect(first).toMatchObject({ path: "slipway.yaml (two)", added: 3, removed: 2 });
  expect(first?.lines).toEqual([
    { kind: "same", before: 1, after: 1, text: "driver: process" },
    { kind: "removed", before: 2, after: undefined, text: "a: 1" },
    { kind: "added", before: undefined, after: 2, text: "a: 2" },
    { kind: "added", before: undefined, after: 3, text: "b: 3" },
    { kind: "gap", before: 9, after: 10, text: "" },
    { kind: "removed", before: 9, after: undefined, text: "x" },
    { kind: "added", before: undefined, after: 10, text: "--- y" },
  ]);
  expect(second).toMatchObject({ path: "README.md", added: 1, removed: 0 });
});

it("finds nothing in an empty diff", () => {
  expect(parseUnifiedDiff("")).toEqual([]);
});
