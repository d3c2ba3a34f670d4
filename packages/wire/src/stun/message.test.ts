import { readFileSync } from "node:fs";
import { join } from "node:path";

import fc from "fast-check";
import { expect, it } from "vitest";

import { encodeHex, parseHex } from "../bytes/hex.ts";
import {
  StunError,
  encodeBindingRequest,
  encodeBindingResponse,
  isStun,
  parseStunMessage,
  type StunMessage,
} from "./message.ts";

interface Vector {
  readonly name: string;
  readonly hex: string;
  readonly message: object;
}

const vectors: readonly Vector[] = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../../../vectors/stun.json"), "utf8"),
);

const transactionId = fc.uint8Array({ minLength: 12, maxLength: 12 });
const anyAddress = fc.record({
  address: fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  ),
  port: fc.nat(0xffff),
});

/** Returns a message with its bytes as hexadecimal digits. */
function plain(message: StunMessage | undefined): unknown {
  const text = JSON.stringify(message, (_, value: unknown) =>
    value instanceof Uint8Array ? encodeHex(value) : value,
  );
  return JSON.parse(text);
}

it.each(vectors)("reads the vector: $name", ({ hex, message }) => {
  expect(plain(parseStunMessage(parseHex(hex)))).toEqual(message);
});

it("writes the request of stock peers", () => {
  const request = encodeBindingRequest(parseHex("000102030405060708090a0b"), "tailnode");
  expect(encodeHex(request)).toBe(vectors[0]?.hex);
});

it("reads back the requests and responses it wrote", () => {
  fc.assert(
    fc.property(transactionId, fc.string({ maxLength: 40 }), (id, software) => {
      const request = parseStunMessage(encodeBindingRequest(id, software));
      expect(request).toEqual({ type: "binding-request", transactionId: id });
    }),
  );
  fc.assert(
    fc.property(transactionId, anyAddress, (id, mapped) => {
      const response = parseStunMessage(encodeBindingResponse(id, mapped));
      expect(response).toEqual({ type: "binding-response", transactionId: id, mapped });
    }),
  );
});

it("falls back to the address that is not masked", () => {
  const response = parseHex("0101000c2112a442000102030405060708090a0b0001000800010fa1c0000201");
  expect(plain(parseStunMessage(response))).toMatchObject({
    mapped: { address: "c0000201", port: 4001 },
  });
});

it("ignores other methods and unknown families", () => {
  expect(parseStunMessage(parseHex("000300002112a442000102030405060708090a0b"))).toBeUndefined();
  const response = "0101000c2112a442000102030405060708090a0b0020000800030fa1c0000201";
  expect(parseStunMessage(parseHex(response))).toMatchObject({ mapped: undefined });
});

it("refuses a message that is cut anywhere", () => {
  for (const { hex } of vectors) {
    const bytes = parseHex(hex);
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => parseStunMessage(bytes.subarray(0, length))).toThrow(StunError);
    }
  }
});

it("refuses a message of which a bit before the fingerprint changed", () => {
  const bytes = parseHex(vectors[0]?.hex ?? "");
  for (let at = 8; at < bytes.length - 8; at += 1) {
    const changed = Uint8Array.from(bytes);
    changed[at] = (bytes[at] ?? 0) ^ 1;
    expect(() => parseStunMessage(changed)).toThrow(StunError);
  }
});

it("tells STUN from the other protocols of a socket", () => {
  const stun = parseHex(vectors[0]?.hex ?? "");
  expect(isStun(stun)).toBe(true);
  expect(isStun(stun.subarray(0, 19))).toBe(false);
  expect(isStun(parseHex(`5453f09f92ac${"00".repeat(60)}`))).toBe(false);
  expect(isStun(Uint8Array.from(stun, (byte, at) => (at === 0 ? 0x80 : byte)))).toBe(false);
});

it("raises only its own error for random attributes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.constantFrom(0, 1), (attributes, kind) => {
      const header = [
        kind,
        1,
        0,
        attributes.length,
        ...parseHex("2112a442"),
        ...new Uint8Array(12),
      ];
      try {
        parseStunMessage(Uint8Array.from([...header, ...attributes]));
        return true;
      } catch (error) {
        return error instanceof StunError;
      }
    }),
  );
});
