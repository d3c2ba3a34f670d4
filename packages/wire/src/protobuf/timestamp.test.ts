import fc from "fast-check";
import { expect, it } from "vitest";

import { timestampFromMs, timestampFromNs, timestampToMs, timestampToNs } from "./timestamp.ts";

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
