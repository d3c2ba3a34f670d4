import { expect, it } from "vitest";

import { indentLine } from "./indent-line.ts";

it.each([
  ["driver: process", "\n"],
  ["agents:", "\n  "],
  ["agents:\n  main:", "\n    "],
  ["  run: |", "\n    "],
  ["  os: linux", "\n  "],
  ["", "\n"],
])("after %j inserts %j", (before, inserted) => {
  expect(indentLine(before)).toBe(inserted);
});
