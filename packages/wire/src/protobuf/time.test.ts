import fc from "fast-check";
import { expect, it } from "vitest";

import {
  durationFromMs,
  durationFromNs,
  durationToMs,
  durationToNs,
  metadataDuration,
  metadataSeconds,
  timestampFromMs,
  timestampFromNs,
  timestampToMs,
  timestampToNs,
} from "./time.ts";

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

it("puts seconds where nanoseconds belong", () => {
  expect(metadataDuration(10)).toMatchObject({ seconds: 0n, nanos: 10 });
  expect(metadataSeconds(metadataDuration(10))).toBe(10);
});

it("reads a duration of whole seconds as what a peer would make of it", () => {
  expect(metadataSeconds(durationFromMs(1000))).toBe(1_000_000_000);
  expect(metadataSeconds(undefined)).toBe(0);
});

it.each([
  [1_700_000_000_123, 1_700_000_000n, 123_000_000],
  [0, 0n, 0],
  [-1, -1n, 999_000_000],
  [-62_135_596_800_000, -62_135_596_800n, 0],
])("puts %d ms into seconds and nanoseconds, which are never negative", (ms, seconds, nanos) => {
  const timestamp = timestampFromMs(ms);
  expect(timestamp).toMatchObject({ seconds, nanos });
  expect(timestampToMs(timestamp)).toBe(ms);
});

it("takes an absent timestamp for 1970", () => {
  expect(timestampToMs(undefined)).toBe(0);
  expect(timestampToNs(undefined)).toBe(0n);
});

it("keeps nanoseconds", () => {
  fc.assert(
    fc.property(fc.bigInt(-(10n ** 20n), 10n ** 20n), (ns) => {
      expect(timestampToNs(timestampFromNs(ns))).toBe(ns);
      expect(timestampFromNs(ns).nanos).toBeGreaterThanOrEqual(0);
    }),
  );
});
