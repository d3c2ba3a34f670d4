import fc from "fast-check";
import { expect, it } from "vitest";

import { encodeHex } from "../bytes/hex.ts";
import { encodeTai64n, isLater, Timestamps } from "./tai64n.ts";

it("encodes seconds and coarse nanoseconds", () => {
  expect(encodeHex(encodeTai64n(0))).toBe("400000000000000a00000000");
  expect(encodeHex(encodeTai64n(1_767_225_600_000))).toBe("400000006955b90a00000000");
  expect(encodeHex(encodeTai64n(1_767_225_600_999.9))).toBe("400000006955b90a3b000000");
  expect(encodeHex(encodeTai64n(0xffff_ffff * 1000))).toBe("400000010000000900000000");
});

it("grows with each timestamp, even if the clock does not", () => {
  const times = fc.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 2 });
  fc.assert(
    fc.property(times, (unixMs) => {
      const timestamps = new Timestamps();
      const stamps = unixMs.map((time) => timestamps.next(time));
      for (const [at, stamp] of stamps.entries()) {
        expect(isLater(stamp, stamp)).toBe(false);
        for (const earlier of stamps.slice(0, at)) {
          expect(isLater(stamp, earlier)).toBe(true);
          expect(isLater(earlier, stamp)).toBe(false);
        }
      }
    }),
    { numRuns: 30 },
  );
});
