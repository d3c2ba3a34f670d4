import { expect, it } from "vitest";

import { matchesTag } from "./fixed-answer.ts";

it.each([
  ['"a"', true],
  ['"b", "a"', true],
  ['W/"a"', true],
  ["*", true],
  ['"b"', false],
  ["a", false],
  ["", false],
  [undefined, false],
])("matchesTag finds the tag in %s: %s", (header, isThere) => {
  expect(matchesTag(header, '"a"')).toBe(isThere);
});
