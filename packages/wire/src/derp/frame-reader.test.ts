import fc from "fast-check";
import { expect, it } from "vitest";

import { encodeHex, parseHex } from "../bytes/hex.ts";
import { joinBytes } from "../bytes/join.ts";
import { DerpFrameReader } from "./frame-reader.ts";
import { derpHeaderBytes } from "./header.ts";

const key = "11".repeat(32);
const frames = [
  `0400000025${key}0102030405`,
  "0600000000",
  `ff00000002aabb`,
  "120000000801020304050607080a".slice(0, 26),
  `0500000020${key}`,
];
const bytes = parseHex(frames.join(""));

function read(chunks: readonly Uint8Array[], maxPayloadBytes = 1000): readonly string[] {
  const reader = new DerpFrameReader(maxPayloadBytes);
  const found: string[] = [];
  for (const chunk of chunks) {
    reader.read(chunk, (whole, start, end) => found.push(encodeHex(whole.subarray(start, end))));
  }
  return found;
}

it("reads the frames of one chunk", () => {
  expect(read([bytes])).toEqual(frames);
});

it("reads the same frames, however the bytes are cut in three", () => {
  for (let first = 0; first <= bytes.length; first += 1) {
    for (let second = first; second <= bytes.length; second += 1) {
      const chunks = [
        bytes.subarray(0, first),
        bytes.subarray(first, second),
        bytes.subarray(second),
      ];
      expect(read(chunks)).toEqual(frames);
    }
  }
});

it("reads the same frames byte by byte", () => {
  expect(read(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(frames);
});

it("reads any frames in any chunks", () => {
  const frame = fc.tuple(fc.nat(255), fc.uint8Array({ maxLength: 300 }));
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 8 }), fc.infiniteStream(fc.nat(200)), (all, sizes) => {
      const whole = all.map(([type, payload]) =>
        Uint8Array.from([type, 0, 0, payload.length >> 8, payload.length & 0xff, ...payload]),
      );
      let rest = joinBytes(whole);
      const chunks: Uint8Array[] = [];
      while (rest.length > 0) {
        const size = Number(sizes.next().value);
        chunks.push(rest.subarray(0, size));
        rest = rest.subarray(size);
      }
      expect(read(chunks)).toEqual(whole.map(encodeHex));
    }),
  );
});

it("does not copy a frame that lies in one chunk, and holds nothing back after it", () => {
  const reader = new DerpFrameReader(1000);
  reader.read(bytes, (whole) => expect(whole).toBe(bytes));
  expect(reader.heldBytes).toBe(0);
});

it("holds of an unfinished frame only what arrived", () => {
  const reader = new DerpFrameReader(0x10000);
  const visit = (): void => expect.fail("no frame is complete");
  reader.read(parseHex("0400010000"), visit);
  reader.read(new Uint8Array(100), visit);
  expect(reader.heldBytes).toBe(derpHeaderBytes + 100);
});

it("refuses a frame above the limit as soon as its header is there", () => {
  const tooLarge = expect.objectContaining({ name: "DerpError", code: "frame-too-large" });
  const header = parseHex("04000003e9");
  expect(() => read([header])).toThrow(tooLarge);
  expect(() => read(Array.from(header, (byte) => Uint8Array.of(byte)))).toThrow(tooLarge);
  expect(() => read([parseHex("ffffffffff")])).toThrow(tooLarge);
});

it("applies a new limit to the frames after the one that is visited", () => {
  const reader = new DerpFrameReader(100);
  const sizes: number[] = [];
  reader.read(
    Uint8Array.from([2, 0, 0, 0, 0, 4, 0, 0, 0, 200, ...new Uint8Array(200)]),
    (_, a, b) => {
      reader.limitPayload(200);
      sizes.push(b - a);
    },
  );
  expect(sizes).toEqual([5, 205]);
});
