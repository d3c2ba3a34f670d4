import fc from "fast-check";
import { expect, it } from "vitest";

import { encodeHex, parseHex } from "../bytes/hex.ts";
import {
  DiscoError,
  encodeDiscoMessage,
  maxCalledEndpoints,
  paddedDiscoBytes,
  parseDiscoMessage,
  type DiscoMessage,
} from "./message.ts";
import { discoOverheadBytes } from "./packet.ts";

const transactionId = parseHex("000102030405060708090a0b");
const nodeKey = new Uint8Array(32).fill(0x11);
const endpoint = { address: parseHex("00000000000000000000ffffc0a80102"), port: 41_641 };

const bytesOf = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });
const anyEndpoint = fc.record({ address: bytesOf(16), port: fc.nat(0xffff) });
const anyPing = fc.record({
  type: fc.constant("ping" as const),
  transactionId: bytesOf(12),
  nodeKey: fc.option(bytesOf(32), { nil: undefined }),
});
const anyPong = fc.record({
  type: fc.constant("pong" as const),
  transactionId: bytesOf(12),
  source: anyEndpoint,
});
const anyCall = fc.record({
  type: fc.constant("call-me-maybe" as const),
  endpoints: fc.array(anyEndpoint, { maxLength: maxCalledEndpoints }),
});
const anyMessage: fc.Arbitrary<DiscoMessage> = fc.oneof(anyPing, anyPong, anyCall);

it("writes the messages of the specification", () => {
  const ping = encodeDiscoMessage({ type: "ping", transactionId, nodeKey });
  expect(encodeHex(ping)).toBe(`0101000102030405060708090a0b${"11".repeat(32)}`);
  const pong = encodeDiscoMessage({ type: "pong", transactionId, source: endpoint });
  expect(encodeHex(pong)).toBe("0201000102030405060708090a0b00000000000000000000ffffc0a80102a2a9");
  const call = encodeDiscoMessage({ type: "call-me-maybe", endpoints: [endpoint] });
  expect(encodeHex(call)).toBe("030000000000000000000000ffffc0a80102a2a9");
});

it("reads back what it wrote, padded or not", () => {
  fc.assert(
    fc.property(anyMessage, fc.constantFrom(0, 100, paddedDiscoBytes), (message, packetBytes) => {
      expect(parseDiscoMessage(encodeDiscoMessage(message, packetBytes))).toEqual(message);
    }),
  );
});

it("pads pings and pongs to a whole packet, and no call", () => {
  const sizes = (message: DiscoMessage): number[] =>
    [0, paddedDiscoBytes].map((bytes) => encodeDiscoMessage(message, bytes).length);
  const padded = paddedDiscoBytes - discoOverheadBytes;
  expect(sizes({ type: "ping", transactionId, nodeKey })).toEqual([46, padded]);
  expect(sizes({ type: "pong", transactionId, source: endpoint })).toEqual([32, padded]);
  expect(sizes({ type: "call-me-maybe", endpoints: [] })).toEqual([2, 2]);
});

it("takes a ping that leaves out the node key, or part of it", () => {
  const ping = encodeDiscoMessage({ type: "ping", transactionId, nodeKey });
  for (const length of [14, 20, 45]) {
    expect(parseDiscoMessage(ping.subarray(0, length))).toEqual({
      type: "ping",
      transactionId,
      nodeKey: undefined,
    });
  }
});

it("refuses messages that are cut short", () => {
  const ping = encodeDiscoMessage({ type: "ping", transactionId, nodeKey: undefined });
  const pong = encodeDiscoMessage({ type: "pong", transactionId, source: endpoint });
  for (const bytes of [ping, pong]) {
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => parseDiscoMessage(bytes.subarray(0, length))).toThrow(DiscoError);
    }
  }
});

it("refuses a call of another version or with part of an endpoint", () => {
  const call = encodeDiscoMessage({ type: "call-me-maybe", endpoints: [endpoint] });
  expect(() => parseDiscoMessage(call.with(1, 1))).toThrow(DiscoError);
  for (let length = 3; length < call.length; length += 1) {
    expect(() => parseDiscoMessage(call.subarray(0, length))).toThrow(DiscoError);
  }
});

it("reads a bounded number of endpoints", () => {
  const endpoints = Array.from({ length: maxCalledEndpoints + 1 }, () => endpoint);
  const bytes = encodeDiscoMessage({ type: "call-me-maybe", endpoints });
  expect(parseDiscoMessage(bytes)).toMatchObject({ endpoints: endpoints.slice(1) });
});

it("ignores types it does not know", () => {
  expect(parseDiscoMessage(Uint8Array.of(4, 0))).toBeUndefined();
  expect(parseDiscoMessage(Uint8Array.of(0, 0))).toBeUndefined();
});

it("raises only its own error for random bytes", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4 }), fc.uint8Array(), (type, bytes) => {
      try {
        parseDiscoMessage(Uint8Array.of(type, ...bytes));
        return true;
      } catch (error) {
        return error instanceof DiscoError;
      }
    }),
  );
});
