import fc from "fast-check";
import { expect, it } from "vitest";

import { readUint32Le, readUint64Le, writeUint32Le, writeUint64Le } from "./integers.ts";

it("writes the lowest byte first", () => {
  const bytes = new Uint8Array(12);
  writeUint32Le(bytes, 0, 0xfeed_0102);
  writeUint64Le(bytes, 4, 0x1f_0000_0000_0003);
  expect([...bytes]).toEqual([2, 1, 0xed, 0xfe, 3, 0, 0, 0, 0, 0, 0x1f, 0]);
});

it("reads what it has written", () => {
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), fc.maxSafeNat(), (short, long) => {
      const bytes = new Uint8Array(12);
      writeUint32Le(bytes, 0, short);
      writeUint64Le(bytes, 4, long);
      expect(readUint32Le(bytes, 0)).toBe(short);
      expect(readUint64Le(bytes, 4)).toBe(long);
    }),
  );
});
