import fc from "fast-check";
import { expect, it } from "vitest";

import { encodeHex, parseHex } from "../bytes/hex.ts";
import { noOptions, optionsBytes, parseOptions, writeOptions } from "./options.ts";
import type { SegmentOptions } from "./options.ts";

const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const anyOptions: fc.Arbitrary<SegmentOptions> = fc.record({
  maxSegmentBytes: fc.option(fc.nat(0xffff), { nil: undefined }),
  windowScale: fc.option(fc.nat(14), { nil: undefined }),
  isSackPermitted: fc.boolean(),
  timestamp: fc.option(uint32, { nil: undefined }),
  timestampEcho: fc.constant(0),
  sackEdges: fc.array(uint32, { maxLength: 3 }).map((edges) => edges.flatMap((e) => [e, ~e >>> 0])),
});

function parseText(hex: string): SegmentOptions {
  const bytes = parseHex(hex);
  return parseOptions(bytes, 0, bytes.length);
}

function encode(options: SegmentOptions): Uint8Array {
  const bytes = new Uint8Array(80);
  return bytes.subarray(0, writeOptions(bytes, 0, options));
}

it("reads the options of a SYN of Linux", () => {
  expect(parseText("020404c40402080a000000070000000001030307")).toEqual({
    maxSegmentBytes: 1220,
    windowScale: 7,
    isSackPermitted: true,
    timestamp: 7,
    timestampEcho: 0,
    sackEdges: [],
  });
});

it("writes the options of a SYN in the same way", () => {
  const bytes = encode({
    maxSegmentBytes: 1220,
    windowScale: 7,
    isSackPermitted: true,
    timestamp: 7,
    timestampEcho: 0,
    sackEdges: [],
  });
  expect(encodeHex(bytes)).toBe("020404c40402080a000000070000000001030307");
});

it("reads timestamps and blocks of an ACK", () => {
  expect(parseText("0101080a00000001000000020101050a0000000a00000014")).toEqual({
    ...noOptions,
    timestamp: 1,
    timestampEcho: 2,
    sackEdges: [10, 20],
  });
});

it("reads back what it wrote, in whole words", () => {
  fc.assert(
    fc.property(anyOptions, (options) => {
      const bytes = encode(options);
      expect(bytes.length % 4).toBe(0);
      expect(bytes).toHaveLength(optionsBytes(options));
      expect(parseOptions(bytes, 0, bytes.length)).toEqual(options);
    }),
  );
});

it.each([
  ["a length of 0", "0101080000000001"],
  ["a length of 1", "0801"],
  ["a length beyond the end", "080a00000001"],
  ["no length", "08"],
  ["the end of the list", "00080a0000000100000002"],
])("ignores what follows %s", (_, hex) => {
  expect(parseText(hex)).toEqual(noOptions);
});

it.each([
  ["a length that does not fit the kind", "020301040302"],
  ["an unknown kind", "fe04aabb"],
  ["blocks that are cut", "05060000000a"],
])("skips %s", (_, hex) => {
  const { timestamp } = parseText(`${hex}080a0000000900000000`);
  expect(timestamp).toBe(9);
});

it("takes a scale above 14 for 14", () => {
  expect(parseText("0303ff").windowScale).toBe(14);
});

it("takes any bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const { sackEdges } = parseOptions(bytes, 0, bytes.length);
      return sackEdges.length % 2 === 0 && sackEdges.length <= 8;
    }),
    { numRuns: 1000 },
  );
});
