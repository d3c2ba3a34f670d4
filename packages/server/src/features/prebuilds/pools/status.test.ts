import { expect, it } from "vitest";

import { poolStatus } from "./status.ts";

it.each([
  ["healthy", undefined, "healthy"],
  ["healthy", "backed-off", "backed_off"],
  ["healthy", "hard-limited", "hard_limited"],
  ["healthy", "validation-failed", "validation_failed"],
  // As it was kept before somebody deleted what had failed.
  ["hard_limited", undefined, "healthy"],
  ["validation_failed", undefined, "validation_failed"],
] as const)("of a pool kept as %s and held as %s is %s", (status, held, expected) => {
  expect(poolStatus({ status }, { held })).toBe(expected);
});
