import { createSeededCrypto } from "@slipway/testkit/crypto";
import fc from "fast-check";
import { expect, it } from "vitest";

import { rejectAfterMessages } from "./limits.ts";
import { minTransportBytes, writeTransportHeader } from "./message.ts";
import { TransportSession } from "./transport-session.ts";

const crypto = createSeededCrypto(2);
const keys = { send: new Uint8Array(32).fill(1), receive: new Uint8Array(32).fill(2) };

function openPair(): readonly [TransportSession, TransportSession] {
  const origin = { isInitiator: true, localIndex: 1, remoteIndex: 2, createdAt: 0 };
  const theirs = { send: keys.receive, receive: keys.send };
  return [
    new TransportSession(crypto, keys, origin),
    new TransportSession(crypto, theirs, { ...origin, isInitiator: false }),
  ];
}

it("carries packets with their padding", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 1600 }), { maxLength: 20 }), (packets) => {
      const [sender, receiver] = openPair();
      for (const packet of packets) {
        const message = sender.sealPacket(packet);
        expect(receiver.open(message)).toBe(true);
        expect(message.subarray(16, 16 + packet.length)).toEqual(packet);
        const padding = message.subarray(16 + packet.length, -16);
        expect(padding.every((byte) => byte === 0)).toBe(true);
      }
    }),
    { numRuns: 30 },
  );
});

it("refuses a message twice, and one with any byte changed or missing", () => {
  const [sender, receiver] = openPair();
  const message = sender.sealPacket(Uint8Array.of(1, 2, 3));
  for (let at = 8; at < message.length; at += 1) {
    expect(receiver.open(message.with(at, (message[at] ?? 0) ^ 1))).toBe(false);
  }
  for (let length = minTransportBytes; length < message.length; length += 1) {
    expect(receiver.open(message.slice(0, length))).toBe(false);
  }
  expect(receiver.open(message.slice())).toBe(true);
  expect(receiver.open(message.slice())).toBe(false);
});

it("is not moved on by a forged counter", () => {
  const [sender, receiver] = openPair();
  const message = sender.sealPacket(Uint8Array.of(1));
  for (const counter of [10_000, rejectAfterMessages, Number.MAX_SAFE_INTEGER]) {
    const forged = message.slice();
    writeTransportHeader(forged, 1, counter);
    expect(receiver.open(forged)).toBe(false);
  }
  expect(receiver.open(message)).toBe(true);
});

it("is renewed by its initiator after 120 seconds, and used by nobody after 180", () => {
  const [initiator, responder] = openPair();
  expect([119_999, 120_000].map((now) => initiator.isOld(now))).toEqual([false, true]);
  expect(responder.isOld(179_999)).toBe(false);
  for (const session of [initiator, responder]) {
    expect([179_999, 180_000].map((now) => session.isUsable(now))).toEqual([true, false]);
  }
});

it("asks once for a new one when only the peer sends", () => {
  const [initiator, responder] = openPair();
  expect([164_999, 165_000, 166_000].map((now) => initiator.isOldToReceive(now))).toEqual([
    false,
    true,
    false,
  ]);
  expect(responder.isOldToReceive(170_000)).toBe(false);
});
