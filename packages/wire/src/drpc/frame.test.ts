import { readFileSync } from "node:fs";
import { join } from "node:path";

import fc from "fast-check";
import { expect, it } from "vitest";

import { encodeHex, parseHex } from "../bytes/hex.ts";
import { DrpcError } from "./errors.ts";
import { encodeFrame, maxPacketBytes, parseFrame } from "./frame.ts";
import type { DrpcFrame } from "./frame.ts";

interface Vector extends Omit<DrpcFrame, "data"> {
  readonly name: string;
  readonly hex: string;
  readonly data: string;
}

const vectors: readonly Vector[] = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../../../vectors/drpc.json"), "utf8"),
);

const anyFrame: fc.Arbitrary<DrpcFrame> = fc.record({
  kind: fc.nat(63),
  isDone: fc.boolean(),
  isControl: fc.boolean(),
  streamId: fc.maxSafeNat(),
  messageId: fc.maxSafeNat(),
  data: fc.uint8Array({ maxLength: 300 }),
});

it.each(vectors)("reads and writes the vector: $name", ({ hex, data, ...rest }) => {
  const { kind, isDone, isControl, streamId, messageId } = rest;
  const frame = { kind, isDone, isControl, streamId, messageId, data: parseHex(data) };
  const bytes = parseHex(hex);
  expect(parseFrame(bytes)).toEqual({ type: "frame", frame, next: bytes.length });
  expect(encodeHex(encodeFrame(frame))).toBe(hex);
});

it("reads back what it wrote, at any offset", () => {
  fc.assert(
    fc.property(anyFrame, fc.uint8Array({ maxLength: 3 }), (frame, before) => {
      const bytes = Uint8Array.from([...before, ...encodeFrame(frame)]);
      expect(parseFrame(bytes, before.length)).toEqual({
        type: "frame",
        frame,
        next: bytes.length,
      });
    }),
  );
});

it("wants more bytes, and not more than it needs, for a frame that is cut anywhere", () => {
  fc.assert(
    fc.property(anyFrame, (frame) => {
      const bytes = encodeFrame(frame);
      for (let length = 0; length < bytes.length; length += 1) {
        const parsed = parseFrame(bytes.subarray(0, length));
        expect(parsed.type).toBe("incomplete");
        const wanted = parsed.type === "incomplete" ? parsed.wantedBytes : 0;
        expect(wanted).toBeGreaterThan(length);
        expect(wanted).toBeLessThanOrEqual(bytes.length);
      }
    }),
  );
});

it("returns the data as a view", () => {
  const bytes = parseHex("050101020a0b");
  const parsed = parseFrame(bytes);
  expect(parsed).toMatchObject({ frame: { data: Uint8Array.of(0x0a, 0x0b) } });
  expect(parsed.type === "frame" && parsed.frame.data.buffer).toBe(bytes.buffer);
});

it("refuses a length above the limit before the data is there", () => {
  const fields = { kind: 2, isDone: true, isControl: false, streamId: 1, messageId: 1 };
  const header = encodeFrame({ ...fields, data: new Uint8Array(maxPacketBytes) }).subarray(0, 7);
  expect(parseFrame(header)).toEqual({ type: "incomplete", wantedBytes: maxPacketBytes + 7 });
  const tooLong = encodeFrame({ ...fields, data: new Uint8Array(maxPacketBytes + 1) });
  expect(() => parseFrame(tooLong.subarray(0, 7))).toThrow(
    expect.objectContaining({ code: "packet-too-large" }),
  );
});

it("refuses a varint that does not end", () => {
  expect(() => parseFrame(parseHex(`05${"ff".repeat(11)}`))).toThrow(
    expect.objectContaining({ name: "DrpcError", code: "malformed-frame" }),
  );
});

it("raises only its own error for random bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      try {
        parseFrame(bytes);
        return true;
      } catch (error) {
        return error instanceof DrpcError;
      }
    }),
    { numRuns: 1000 },
  );
});
