import { readFileSync } from "node:fs";
import { join } from "node:path";

import fc from "fast-check";
import { expect, it } from "vitest";

import { encodeHex, parseHex } from "../bytes/hex.ts";
import { YamuxError } from "./events.ts";
import { encodeHeader, FrameType, headerBytes, parseHeader } from "./header.ts";
import type { FrameHeader } from "./header.ts";

interface Vector extends FrameHeader {
  readonly name: string;
  readonly hex: string;
}

const vectors: readonly Vector[] = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../../../vectors/yamux.json"), "utf8"),
);

const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const anyHeader: fc.Arbitrary<FrameHeader> = fc.record({
  type: fc.constantFrom(...Object.values(FrameType)),
  flags: fc.nat(0xffff),
  streamId: uint32,
  length: uint32,
});

it.each(vectors)("reads and writes the vector: $name", ({ hex, type, flags, streamId, length }) => {
  const header = { type, flags, streamId, length };
  expect(parseHeader(parseHex(hex))).toEqual(header);
  expect(encodeHex(encodeHeader(header))).toBe(hex);
});

it("reads back what it wrote, at any offset", () => {
  fc.assert(
    fc.property(anyHeader, fc.uint8Array({ maxLength: 3 }), (header, before) => {
      const bytes = Uint8Array.from([...before, ...encodeHeader(header)]);
      expect(parseHeader(bytes, before.length)).toEqual(header);
    }),
  );
});

it("wants more bytes for a header that is cut anywhere", () => {
  fc.assert(
    fc.property(anyHeader, fc.nat(headerBytes - 1), (header, length) => {
      expect(parseHeader(encodeHeader(header).subarray(0, length))).toBeUndefined();
    }),
  );
});

it.each([
  ["another version", "010000000000000000000000"],
  ["an unknown type", "000400000000000000000000"],
])("refuses %s", (_, hex) => {
  expect(() => parseHeader(parseHex(hex))).toThrow(
    expect.objectContaining({ name: "YamuxError", code: "protocol-error" }),
  );
});

it("raises only its own error for random bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 12, maxLength: 12 }), (bytes) => {
      try {
        parseHeader(bytes);
        return true;
      } catch (error) {
        return error instanceof YamuxError;
      }
    }),
  );
});
