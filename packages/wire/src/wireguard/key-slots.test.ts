import { createSeededCrypto } from "@slipway/testkit/crypto";
import { expect, it } from "vitest";

import { KeySlots } from "./key-slots.ts";
import { TransportSession } from "./transport-session.ts";

const crypto = createSeededCrypto(4);
const keys = { send: new Uint8Array(32), receive: new Uint8Array(32) };

function open() {
  const forgotten: number[] = [];
  const slots = new KeySlots(({ origin }) => forgotten.push(origin.localIndex));
  return { slots, forgotten };
}

function session(localIndex: number): TransportSession {
  const origin = { isInitiator: true, localIndex, remoteIndex: 0, createdAt: 0 };
  return new TransportSession(crypto, keys, origin);
}

it("uses an initiated session at once, and keeps the one before", () => {
  const { slots, forgotten } = open();
  const sessions = [1, 2, 3].map((index) => session(index));
  for (const one of sessions) slots.addInitiated(one);
  expect(slots.current).toBe(sessions[2]);
  expect(forgotten).toEqual([1]);
});

it("uses a session that it has answered once the peer has", () => {
  const { slots, forgotten } = open();
  const [first, second, third] = [session(1), session(2), session(3)];
  slots.addInitiated(first);
  slots.addResponded(second);
  expect(slots.current).toBe(first);
  expect(slots.confirm(first)).toBe(false);
  slots.addResponded(third);
  expect(forgotten).toEqual([2]);
  expect(slots.confirm(second)).toBe(false);
  expect(slots.confirm(third)).toBe(true);
  expect(slots.confirm(third)).toBe(false);
  expect(slots.current).toBe(third);
  expect(forgotten).toEqual([2]);
});

it("keeps the answered session of crossing handshakes", () => {
  const { slots, forgotten } = open();
  slots.addInitiated(session(1));
  slots.addResponded(session(2));
  slots.addInitiated(session(3));
  expect(slots.current?.origin.localIndex).toBe(3);
  expect(forgotten).toEqual([1]);
});

it("forgets all", () => {
  const { slots, forgotten } = open();
  slots.addInitiated(session(1));
  slots.addInitiated(session(2));
  slots.addResponded(session(3));
  slots.clear();
  expect(slots.current).toBeUndefined();
  expect(new Set(forgotten)).toEqual(new Set([1, 2, 3]));
});
