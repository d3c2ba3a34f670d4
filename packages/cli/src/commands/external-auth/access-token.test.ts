import { expect, it } from "vitest";

import { fieldAt } from "./access-token.ts";

const document = { user: { id: 7, name: "ada", tags: ["x"] }, none: null };

it.each([
  ["user.name", "ada"],
  ["user.id", "7"],
  ["user.tags", '["x"]'],
  ["user.tags.0", "x"],
  ["user.name.length", undefined],
  ["none", undefined],
  ["constructor", undefined],
  ["user.other", undefined],
])("finds %s", (path, value) => {
  expect(fieldAt(document, path)).toBe(value);
});
