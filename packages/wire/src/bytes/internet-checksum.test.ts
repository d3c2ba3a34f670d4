import fc from "fast-check";
import { expect, it } from "vitest";

import { parseHex } from "./hex.ts";
import { writeUint16 } from "./integers.ts";
import { addWords, finishChecksum } from "./internet-checksum.ts";

it("adds up the example of RFC 1071 §3", () => {
  const bytes = parseHex("0001f203f4f5f6f7");
  expect(addWords(0, bytes, 0, bytes.length)).toBe(0x2ddf0);
  expect(finishChecksum(0x2ddf0)).toBe(~0xddf2 & 0xffff);
});

it("counts an odd last byte as the upper half of a word", () => {
  expect(addWords(1, Uint8Array.of(9, 0x12, 0x34, 0x56), 1, 4)).toBe(1 + 0x1234 + 0x5600);
});

it("gives the same checksum for parts that are added one after the other", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(50), (bytes, half) => {
      const cut = Math.min(half * 2, bytes.length);
      const parts = addWords(addWords(0, bytes, 0, cut), bytes, cut, bytes.length);
      return finishChecksum(parts) === finishChecksum(addWords(0, bytes, 0, bytes.length));
    }),
  );
});

it("gives the checksum of words that are added one by one", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      let sum = 0;
      for (const [at, byte] of bytes.entries()) sum += at % 2 === 0 ? byte * 256 : byte;
      return finishChecksum(addWords(0, bytes, 0, bytes.length)) === finishChecksum(sum);
    }),
  );
});

it("makes the sum of bytes with their checksum come out as all ones", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 2, maxLength: 2000 }), (bytes) => {
      writeUint16(bytes, 0, 0);
      writeUint16(bytes, 0, finishChecksum(addWords(0, bytes, 0, bytes.length)));
      return finishChecksum(addWords(0, bytes, 0, bytes.length)) === 0;
    }),
  );
});
