import { expect, it } from "vitest";

import {
  kinds,
  numbered,
  numberOf,
  openConnected,
  openPair,
} from "../../tests/support/tunnel-pair.ts";

/* The start, renewal, keep-alive and end of a tunnel's sessions. */

it("renews the session every two minutes, and loses nothing", async () => {
  const pair = await openConnected({ link: { delayMs: 30 } });
  const total = 6000;
  for (let number = 0; number < total; number += 1) {
    pair.send("one", [numbered(number)]);
    pair.send("other", [numbered(number)]);
    await pair.clock.advance(100);
  }
  const numbers = Array.from({ length: total }, (_, number) => number);
  expect(pair.one.packets.map(numberOf)).toEqual(numbers);
  expect(pair.other.packets.map(numberOf)).toEqual(numbers);
  const initiations = kinds([...pair.one.sent, ...pair.other.sent]).filter(
    (kind) => kind === "initiation",
  );
  expect(pair.one.handshakes.length).toBeGreaterThanOrEqual(5);
  expect(pair.one.handshakes.length).toBeLessThanOrEqual(6);
  expect(initiations.length).toBeLessThanOrEqual(5);
  expect(pair.one.tunnel.sessions + pair.other.tunnel.sessions).toBeLessThanOrEqual(6);
});

it("renews the session when only the responder sends", async () => {
  const pair = await openConnected();
  for (let number = 0; number < 4000; number += 1) {
    pair.send("other", [numbered(number)]);
    await pair.clock.advance(100);
  }
  expect(pair.one.packets.map(numberOf)).toEqual(Array.from({ length: 4000 }, (_, at) => at));
  expect(pair.one.handshakes.length).toBeGreaterThanOrEqual(3);
});

it("sends nothing in an idle hour, forgets its keys, and connects again", async () => {
  const pair = await openConnected();
  await pair.clock.advance(15_000);
  expect(pair.other.sent.map(({ length }) => length)).toEqual([32]);
  expect(pair.one.sent).toEqual([]);
  pair.other.sent.length = 0;
  await pair.clock.advance(3_600_000);
  expect([...pair.one.sent, ...pair.other.sent]).toEqual([]);
  expect([pair.one.tunnel.sessions, pair.other.tunnel.sessions]).toEqual([0, 0]);
  pair.send("other", [numbered(7)]);
  await pair.clock.advance(1);
  expect(pair.one.packets.map(numberOf)).toEqual([7]);
});

it("keeps the path open in each period", async () => {
  const pair = openPair({ persistentKeepaliveMs: 25_000 });
  await pair.clock.advance(1);
  expect(kinds(pair.one.sent)).toEqual(["initiation", "transport"]);
  pair.one.sent.length = 0;
  await pair.clock.advance(3_600_000);
  const transport = pair.one.sent.filter(({ length }) => length === 32);
  expect(transport.length).toBeGreaterThanOrEqual(143);
  expect(pair.one.packets).toEqual([]);
  expect(pair.one.tunnel.lastHandshakeAt(pair.other.tunnel.publicKey)).toBeGreaterThan(
    pair.clock.monotonic() - 150_000,
  );
});

it("answers data within ten seconds with a keep-alive, and data with data", async () => {
  const pair = await openConnected();
  await pair.clock.advance(20_000);
  pair.other.sent.length = 0;
  pair.send("one", [numbered(1)]);
  await pair.clock.advance(9999);
  expect(pair.other.sent).toEqual([]);
  await pair.clock.advance(1);
  expect(pair.other.sent.map(({ length }) => length)).toEqual([32]);
  pair.send("one", [numbered(2)]);
  await pair.clock.advance(1);
  pair.send("other", [numbered(3)]);
  await pair.clock.advance(60_000);
  expect(pair.other.sent).toHaveLength(2);
});

it("begins a handshake when a peer has been silent for fifteen seconds", async () => {
  const pair = await openConnected();
  await pair.clock.advance(10_000);
  pair.other.isConnected = false;
  pair.send("one", [numbered(1)]);
  await pair.clock.advance(14_999);
  expect(kinds(pair.one.sent)).toEqual(["transport"]);
  await pair.clock.advance(335);
  expect(kinds(pair.one.sent)).toEqual(["transport", "initiation"]);
  pair.other.isConnected = true;
  await pair.clock.advance(6000);
  expect(pair.one.handshakes).toHaveLength(2);
});

it("renews a session that it has lost as soon as the peer uses it", async () => {
  const pair = await openConnected();
  const { one, other } = pair;
  const settings = { publicKey: one.tunnel.publicKey, allowedAddresses: [one.address] };
  other.tunnel.removePeer(settings.publicKey);
  other.tunnel.setPeer({ ...settings, persistentKeepaliveMs: undefined });
  await pair.clock.advance(10_000);
  pair.send("one", [numbered(1)]);
  await pair.clock.advance(10);
  expect([other.packets, other.sent]).toEqual([[], []]);
  // Any peer may have sent it.
  other.tunnel.receive(one.sent.slice(-1), "path 1", settings.publicKey, { isProven: false });
  await pair.clock.advance(10);
  expect(other.sent).toEqual([]);
  // Over a path that vouches for the sender.
  other.tunnel.receive(one.sent.slice(-1), "path 1", settings.publicKey);
  await pair.clock.advance(10);
  expect(kinds(other.sent)).toEqual(["initiation", "transport"]);
  pair.send("one", [numbered(2)]);
  await pair.clock.advance(10);
  expect(other.packets.map(numberOf)).toEqual([2]);
});

it("gives a peer up that does not answer, and drops what waits for it", async () => {
  const pair = openPair();
  pair.one.isConnected = false;
  pair.send("one", [numbered(1)]);
  await pair.clock.advance(300_000);
  expect(pair.one.sent).toHaveLength(20);
  expect(pair.one.tunnel.sessions).toBe(0);
  pair.one.isConnected = true;
  pair.send("one", [numbered(2)]);
  await pair.clock.advance(1);
  expect(pair.other.packets.map(numberOf)).toEqual([2]);
});

it("connects when both begin at once, at any delay and order", async () => {
  for (let seed = 0; seed < 20; seed += 1) {
    const link = { delayMs: seed, lateRate: 0.5, lateMs: 50 };
    const pair = openPair({ seed: seed * 7, link });
    pair.send("one", [numbered(1)]);
    pair.send("other", [numbered(2)]);
    await pair.clock.advance(1000);
    pair.send("one", [numbered(3)]);
    pair.send("other", [numbered(4)]);
    await pair.clock.advance(1000);
    expect(new Set(pair.other.packets.map(numberOf))).toEqual(new Set([1, 3]));
    expect(new Set(pair.one.packets.map(numberOf))).toEqual(new Set([2, 4]));
  }
});
