import fc from "fast-check";
import { expect, it } from "vitest";

import { durationFromMs, durationFromNs, durationToMs, durationToNs } from "./duration.ts";

it.each([
  [30_000, 30n, 0],
  [1_500, 1n, 500_000_000],
  [-1_500, -1n, -500_000_000],
  [0.001, 0n, 1_000],
  [0, 0n, 0],
])("puts %d ms into seconds and nanoseconds", (ms, seconds, nanos) => {
  const duration = durationFromMs(ms);
  expect(duration).toMatchObject({ seconds, nanos });
  expect(durationToMs(duration)).toBeCloseTo(ms, 9);
});

it("takes an absent duration for 0", () => {
  expect(durationToMs(undefined)).toBe(0);
  expect(durationToNs(undefined)).toBe(0n);
});

it("carries when the fraction rounds to a second", () => {
  expect(durationFromMs(999.9999999)).toMatchObject({ seconds: 1n, nanos: 0 });
});

it("keeps nanoseconds", () => {
  fc.assert(
    fc.property(fc.bigInt(-(10n ** 20n), 10n ** 20n), (ns) => {
      expect(durationToNs(durationFromNs(ns))).toBe(ns);
    }),
  );
});
