import { expect, test } from "vitest";

import { readDuration } from "./duration.ts";

test.each([
  ["0", 0],
  ["2h", 7_200_000],
  ["1h30m", 5_400_000],
  ["1d2s", 86_402_000],
])("reads %s", (text, ms) => {
  expect(readDuration("--default-ttl", text)).toBe(ms);
});

test.each(["", "2", "h", "1m2h", "-1h", "1.5h"])("refuses %j", (text) => {
  expect(() => readDuration("--default-ttl", text)).toThrow(
    `--default-ttl "${text}" is no duration`,
  );
});
