import fc from "fast-check";
import { expect, it } from "vitest";

import { BytesError } from "./errors.ts";
import { appendVarint, parseVarint } from "./varint.ts";

function encode(value: number): Uint8Array {
  const out: number[] = [];
  appendVarint(out, value);
  return Uint8Array.from(out);
}

it.each([
  [0, [0x00]],
  [127, [0x7f]],
  [128, [0x80, 0x01]],
  [4464, [0xf0, 0x22]],
  [65_536, [0x80, 0x80, 0x04]],
])("writes %i low group first", (value, bytes) => {
  expect([...encode(value)]).toEqual(bytes);
});

it("reads back what it wrote, at any offset", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.uint8Array({ maxLength: 4 }), (value, before) => {
      const bytes = Uint8Array.from([...before, ...encode(value)]);
      expect(parseVarint(bytes, before.length)).toEqual({ value, next: bytes.length });
    }),
  );
});

it("wants more bytes as long as the last one says that it is not the last", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      const bytes = encode(value);
      for (let length = 0; length < bytes.length; length += 1) {
        expect(parseVarint(bytes.subarray(0, length), 0)).toBeUndefined();
      }
    }),
  );
});

it("takes ten bytes of padding and refuses eleven", () => {
  const padded = Uint8Array.of(0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00);
  expect(parseVarint(padded, 0)).toEqual({ value: 1, next: 10 });
  expect(() => parseVarint(new Uint8Array(11).fill(0x80), 0)).toThrow(BytesError);
});

it("refuses what is above 2^53 - 1", () => {
  const bytes = Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10);
  expect(() => parseVarint(bytes, 0)).toThrow(
    expect.objectContaining({ code: "malformed-varint" }),
  );
});
