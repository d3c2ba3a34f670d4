import fc from "fast-check";
import { expect, it } from "vitest";

import { sequenceDistance, unwrapSequence, wrapOffset } from "./sequence.ts";

const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const anyOffset = fc.integer({ min: 0, max: 2 ** 45 });

it("counts across the wrap in both directions", () => {
  expect(sequenceDistance(5, 0xffff_fff0)).toBe(21);
  expect(sequenceDistance(0xffff_fff0, 5)).toBe(-21);
  expect(sequenceDistance(0x8000_0000, 0)).toBe(-0x8000_0000);
});

it("finds an offset again from its number and any offset within 2^31 of it", () => {
  fc.assert(
    fc.property(
      uint32,
      anyOffset,
      fc.integer({ min: -0x7fff_ffff, max: 0x7fff_ffff }),
      (initial, offset, away) =>
        unwrapSequence(initial, wrapOffset(initial, offset), offset + away) === offset,
    ),
  );
});

it("keeps numbers within 32 bits", () => {
  fc.assert(
    fc.property(uint32, anyOffset, (initial, offset) => {
      const sequence = wrapOffset(initial, offset);
      return sequence >= 0 && sequence <= 0xffff_ffff;
    }),
  );
});
