import { expect, test } from "vitest";

import { parseLifetime } from "./lifetime.ts";

test.each([
  ["90s", 90],
  ["8h", 28_800],
  ["30d", 2_592_000],
  ["1y", 31_536_000],
  ["1d12h30m", 131_400],
])("reads %s", (text, seconds) => {
  expect(parseLifetime(text)).toBe(seconds);
});

test.each(["", "8", "h", "8 h", "-1h", "1.5h", "1h!", "8w"])("refuses %j", (text) => {
  expect(parseLifetime(text)).toBeUndefined();
});
