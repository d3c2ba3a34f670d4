import { expect, it } from "vitest";

import { poolStatus } from "./status.ts";

it.each([
  ["healthy", undefined, "healthy"],
  ["healthy", "backed-off", "backed_off"],
  ["healthy", "hard-limited", "hard_limited"],
  ["healthy", "validation-failed", "validation_failed"],
  // The stored status from before the failed prebuilds were deleted.
  ["hard_limited", undefined, "healthy"],
  ["validation_failed", undefined, "validation_failed"],
] as const)("of a pool kept as %s and held as %s is %s", (status, held, expected) => {
  expect(poolStatus({ status }, { held })).toBe(expected);
});
