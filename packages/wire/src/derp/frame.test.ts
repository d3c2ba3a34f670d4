import { readFileSync } from "node:fs";
import { join } from "node:path";

import fc from "fast-check";
import { expect, it } from "vitest";

import { encodeHex, parseHex } from "../bytes/hex.ts";
import { DerpError } from "./errors.ts";
import { type DerpFrame, encodeDerpFrame, parseDerpFrame } from "./frame.ts";
import { derpHeaderBytes } from "./header.ts";

interface Vector {
  readonly name: string;
  readonly hex: string;
  /** The frame, with its bytes as hexadecimal digits. */
  readonly frame: Readonly<Record<string, unknown>>;
}

const vectors: readonly Vector[] = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../../../vectors/derp.json"), "utf8"),
);

const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
const nonce = fc.uint8Array({ minLength: 24, maxLength: 24 });
const data = fc.uint8Array({ minLength: 8, maxLength: 8 });
const packet = fc.uint8Array({ maxLength: 100 });
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const anyFrame: fc.Arbitrary<DerpFrame> = fc.oneof(
  fc.record({ type: fc.constant("server-key" as const), key }),
  fc.record({ type: fc.constant("client-info" as const), key, nonce, box: packet }),
  fc.record({ type: fc.constant("server-info" as const), nonce, box: packet }),
  fc.record({ type: fc.constant("send-packet" as const), destination: key, packet }),
  fc.record({ type: fc.constant("recv-packet" as const), source: key, packet }),
  fc.record({ type: fc.constantFrom("keep-alive" as const, "watch-conns" as const) }),
  fc.record({ type: fc.constant("note-preferred" as const), isPreferred: fc.boolean() }),
  fc.record({ type: fc.constant("peer-gone" as const), key, reason: fc.nat(255) }),
  fc.record({ type: fc.constantFrom("peer-present" as const, "close-peer" as const), key }),
  fc.record({
    type: fc.constant("forward-packet" as const),
    source: key,
    destination: key,
    packet,
  }),
  fc.record({ type: fc.constantFrom("ping" as const, "pong" as const), data }),
  fc.record({ type: fc.constant("health" as const), problem: fc.string({ unit: "grapheme" }) }),
  fc.record({
    type: fc.constant("restarting" as const),
    reconnectInMs: uint32,
    tryForMs: uint32,
  }),
);

/** Returns a frame with its bytes as hexadecimal digits. */
function plain(frame: DerpFrame | undefined): unknown {
  const fields = Object.entries(frame ?? {});
  return Object.fromEntries(
    fields.map(([name, value]) => [name, value instanceof Uint8Array ? encodeHex(value) : value]),
  );
}

function parse(hex: string): DerpFrame | undefined {
  const bytes = parseHex(hex);
  return parseDerpFrame(bytes, 0, bytes.length);
}

it.each(vectors)("reads and writes the vector: $name", ({ hex, frame }) => {
  const parsed = parse(hex);
  expect(plain(parsed)).toEqual(frame);
  expect(parsed && encodeHex(encodeDerpFrame(parsed))).toBe(hex);
});

it("reads back what it wrote, at any offset", () => {
  fc.assert(
    fc.property(anyFrame, fc.uint8Array({ maxLength: 3 }), (frame, before) => {
      const bytes = Uint8Array.from([...before, ...encodeDerpFrame(frame)]);
      expect(plain(parseDerpFrame(bytes, before.length, bytes.length))).toEqual(plain(frame));
    }),
  );
});

it.each([
  ["a packet without a whole key", "040000001f" + "00".repeat(31)],
  ["a login without a whole nonce", "0200000037" + "00".repeat(55)],
  ["a home region of two bytes", "07000000020101"],
  ["a home region of no bytes", "0700000000"],
  ["a ping of seven bytes", "120000000700000000000000"],
  ["a ping of 1,001 bytes", "12000003e9" + "00".repeat(1001)],
  ["a server's key without the magic", "0100000028" + "00".repeat(40)],
  ["a forwarded packet with one key", "0a00000020" + "00".repeat(32)],
  ["a problem that is not UTF-8", "1400000001ff"],
  ["a restart without a second time", "150000000400000000"],
])("refuses %s", (_, hex) => {
  expect(() => parse(hex)).toThrow(
    expect.objectContaining({ name: "DerpError", code: "malformed-frame" }),
  );
});

it("reads a ping of 1,000 bytes by its first eight, and a peer gone without a reason", () => {
  expect(parse("12000003e8" + "01".repeat(1000))).toEqual({
    type: "ping",
    data: new Uint8Array(8).fill(1),
  });
  expect(parse("0800000020" + "00".repeat(32))).toMatchObject({ type: "peer-gone", reason: 0 });
});

it("does not know other types", () => {
  expect(parse("ff0000000101")).toBeUndefined();
});

it("raises only its own error for random bytes", () => {
  const types = fc.nat(0x16);
  fc.assert(
    fc.property(types, fc.uint8Array({ maxLength: 120 }), (type, payload) => {
      const bytes = Uint8Array.from([type, 0, 0, 0, payload.length, ...payload]);
      try {
        parseDerpFrame(bytes, 0, derpHeaderBytes + payload.length);
        return true;
      } catch (error) {
        return error instanceof DerpError;
      }
    }),
  );
});
