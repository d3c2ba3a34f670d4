import fc from "fast-check";
import { expect, it } from "vitest";

import { encodeHex, parseHex } from "../bytes/hex.ts";
import { addWords, finishChecksum } from "../bytes/internet-checksum.ts";
import { noOptions } from "./options.ts";
import { parseSegment, segmentLength, TcpFlag, writeChecksum, writeHeader } from "./segment.ts";
import type { SegmentHeader } from "./segment.ts";

const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const anyHeader: fc.Arbitrary<SegmentHeader> = fc.record({
  sourcePort: fc.nat(0xffff),
  destinationPort: fc.nat(0xffff),
  sequence: uint32,
  acknowledgment: uint32,
  flags: fc.nat(0xff),
  window: fc.nat(0xffff),
  options: fc.constantFrom(noOptions, { ...noOptions, timestamp: 1, timestampEcho: 2 }),
});

/** Writes a segment after `before` other bytes. */
function encode(header: SegmentHeader, payload: Uint8Array, before: number, addressSum: number) {
  const bytes = new Uint8Array(before + 60 + payload.length).fill(0xaa);
  const payloadStart = writeHeader(bytes, before, header);
  bytes.set(payload, payloadStart);
  const end = payloadStart + payload.length;
  writeChecksum(bytes, before, end, addressSum);
  return { bytes, payloadStart, end };
}

it("reads back what it wrote, at any offset", () => {
  fc.assert(
    fc.property(
      anyHeader,
      fc.uint8Array({ maxLength: 50 }),
      fc.nat(5),
      (header, payload, before) => {
        const { bytes, payloadStart, end } = encode(header, payload, before, 0);
        const segment = parseSegment(bytes, before, end);
        expect(segment).toMatchObject({ ...header, payloadStart, payloadEnd: end });
        expect(bytes.subarray(segment?.payloadStart, segment?.payloadEnd)).toEqual(payload);
      },
    ),
  );
});

it("writes a checksum with which the words add up to all ones", () => {
  fc.assert(
    fc.property(
      anyHeader,
      fc.uint8Array({ maxLength: 50 }),
      fc.nat(0x4_0000),
      (header, payload, addressSum) => {
        const { bytes, end } = encode(header, payload, 0, addressSum);
        return finishChecksum(addWords(addressSum + end, bytes, 0, end)) === 0;
      },
    ),
  );
});

it("writes a SYN", () => {
  const header = {
    sourcePort: 0x1234,
    destinationPort: 22,
    sequence: 0x0102_0304,
    acknowledgment: 0,
    flags: TcpFlag.syn,
    window: 0xffff,
    options: { ...noOptions, maxSegmentBytes: 1220 },
  };
  const { bytes, end } = encode(header, new Uint8Array(0), 0, 0);
  expect(encodeHex(bytes.subarray(0, end))).toBe(
    "1234001601020304000000006002ffff82cd0000020404c4",
  );
});

it.each([
  ["nothing", ""],
  ["19 bytes", "00000000000000000000000050000000000000"],
  ["a header of 16 bytes", "0000000000000000000000004000000000000000"],
  ["a header beyond the end", "0000000000000000000000006000000000000000"],
])("refuses %s", (_, hex) => {
  const bytes = parseHex(hex);
  expect(parseSegment(bytes, 0, bytes.length)).toBeUndefined();
});

it("counts SYN and FIN as one each", () => {
  const lengthWith = (flags: number) => {
    const header = {
      sourcePort: 0,
      destinationPort: 0,
      sequence: 0,
      acknowledgment: 0,
      flags,
      window: 0,
      options: noOptions,
    };
    const { bytes, end } = encode(header, Uint8Array.of(1, 2, 3), 0, 0);
    const segment = parseSegment(bytes, 0, end);
    return segment === undefined ? undefined : segmentLength(segment);
  };
  expect(lengthWith(TcpFlag.ack)).toBe(3);
  expect(lengthWith(TcpFlag.syn)).toBe(4);
  expect(lengthWith(TcpFlag.fin | TcpFlag.syn | TcpFlag.rst)).toBe(5);
});

it("takes any bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const segment = parseSegment(bytes, 0, bytes.length);
      if (segment === undefined) return true;
      return segment.payloadStart >= 20 && segment.payloadStart <= segment.payloadEnd;
    }),
    { numRuns: 1000 },
  );
});
