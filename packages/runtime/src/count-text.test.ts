import { expect, it } from "vitest";

import { countText } from "./count-text.ts";

it.each([
  [0, "0 entries"],
  [1, "1 entry"],
  [2, "2 entries"],
])("counts %d", (count, text) => {
  expect(countText(count, "entry", "entries")).toBe(text);
});

it("adds an s", () => {
  expect([countText(1, "workspace"), countText(3, "workspace")]).toEqual([
    "1 workspace",
    "3 workspaces",
  ]);
});
