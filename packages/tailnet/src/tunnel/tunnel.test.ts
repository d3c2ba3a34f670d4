import { loadNativeCrypto } from "@slipway/tailnet/node";
import { packetTo, TunnelPair, type TunnelPairOptions } from "@slipway/testkit/links";
import { Random } from "@slipway/testkit/random";
import { wireguardMessageKind } from "@slipway/wire";
import fc from "fast-check";
import { afterEach, expect, it } from "vitest";

import { Tunnel } from "./tunnel.ts";

const crypto = await loadNativeCrypto();
const opened: TunnelPair[] = [];

afterEach(async () => {
  for (const pair of opened.splice(0)) await pair[Symbol.asyncDispose]();
});

function open(options: Partial<TunnelPairOptions> = {}): TunnelPair {
  const pair = new TunnelPair({ seed: 1, crypto, ...options });
  opened.push(pair);
  return pair;
}

function numbered(number: number, length = 8): Uint8Array {
  const payload = new Uint8Array(length);
  new DataView(payload.buffer).setUint32(0, number);
  return payload;
}

function numberOf(packet: Uint8Array): number {
  return new DataView(packet.buffer, packet.byteOffset).getUint32(40);
}

function kinds(datagrams: readonly Uint8Array[]) {
  return datagrams.map((datagram) => wireguardMessageKind(datagram));
}

/** Opens a pair with a session. */
async function openConnected(options: Partial<TunnelPairOptions> = {}): Promise<TunnelPair> {
  const pair = open(options);
  pair.send("one", [numbered(0)]);
  await pair.clock.advance(1000);
  expect(pair.other.packets.splice(0)).toHaveLength(1);
  for (const end of [pair.one, pair.other]) end.sent.length = 0;
  return pair;
}

it("carries packets of all lengths both ways, without their padding", async () => {
  const pair = open();
  const payloads = Array.from({ length: 1241 }, (_, length) => new Uint8Array(length).fill(length));
  pair.send("one", payloads.slice(0, 50));
  await pair.clock.advance(1);
  pair.send("one", payloads.slice(50));
  pair.send("other", payloads);
  await pair.clock.advance(1);
  const { one, other } = pair;
  expect(other.packets).toEqual(payloads.map((payload) => packetTo(other, one, payload)));
  expect(one.packets).toEqual(payloads.map((payload) => packetTo(one, other, payload)));
  expect([one.handshakes, other.handshakes].map(({ length }) => length)).toEqual([1, 1]);
  expect(one.sources).toContain("path 2");
});

it("hands over all datagrams of a turn at once", async () => {
  const pair = await openConnected();
  const { one } = pair;
  const before = one.batches;
  for (let number = 0; number < 100; number += 1) {
    pair.send("one", [numbered(number), numbered(number)]);
  }
  await pair.clock.advance(0);
  expect(one.sent).toHaveLength(200);
  expect(one.batches).toBe(before + 1);
});

it("lets the packets that were handed in be reused", async () => {
  const pair = open();
  for (let number = 1; number <= 3; number += 1) {
    const packet = packetTo(pair.other, pair.one, numbered(number));
    pair.one.tunnel.send([packet]);
    packet.fill(0);
    await pair.clock.advance(1);
  }
  expect(pair.other.packets.map(numberOf)).toEqual([1, 2, 3]);
});

it("delivers each packet once, and most of them, over a bad path", async () => {
  const link = {
    delayMs: 20,
    lossRate: 0.05,
    duplicateRate: 0.05,
    lateRate: 0.2,
    lateMs: 300,
  };
  for (let seed = 0; seed < 4; seed += 1) {
    const pair = open({ seed: seed * 100, link });
    for (let number = 0; number < 1000; number += 1) {
      pair.send("one", [numbered(number)]);
      pair.send("other", [numbered(number)]);
      if (number === 0) await pair.clock.advance(60_000);
      await pair.clock.advance(10);
    }
    await pair.clock.advance(1000);
    for (const { packets } of [pair.one, pair.other]) {
      const numbers = packets.map(numberOf);
      expect(new Set(numbers).size).toBe(numbers.length);
      expect(numbers.length).toBeGreaterThan(900);
      expect(numbers.every((number) => number < 1000)).toBe(true);
    }
  }
});

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
  const pair = open({ persistentKeepaliveMs: 25_000 });
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
  // Over a path that vouches for the sender.
  other.tunnel.receive(one.sent.slice(-1), "path 1", settings.publicKey);
  await pair.clock.advance(10);
  expect(kinds(other.sent)).toEqual(["initiation", "transport"]);
  pair.send("one", [numbered(2)]);
  await pair.clock.advance(10);
  expect(other.packets.map(numberOf)).toEqual([2]);
});

it("gives a peer up that does not answer, and drops what waits for it", async () => {
  const pair = open();
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
    const pair = open({ seed: seed * 7, link });
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

it("tells where genuine datagrams come from, and nothing of forged ones", async () => {
  const pair = await openConnected();
  pair.one.source = "elsewhere";
  const seen = pair.other.sources.length;
  const forged = new Uint8Array(64).with(0, 4);
  pair.other.tunnel.receive([forged], "an attacker", undefined);
  pair.send("one", [numbered(1), numbered(2)]);
  await pair.clock.advance(1);
  expect(pair.other.sources.slice(seen)).toEqual(["elsewhere"]);
});

it("drops repeated, cut and changed datagrams", async () => {
  const pair = await openConnected();
  pair.send("one", [numbered(1)]);
  await pair.clock.advance(1);
  const [datagram] = pair.one.sent;
  if (datagram === undefined) throw new Error("nothing was sent");
  const { tunnel, packets, sources } = pair.other;
  expect(packets).toHaveLength(1);
  const before = sources.length;
  tunnel.receive([datagram.slice(), datagram.slice()], "replay", undefined);
  pair.send("one", [numbered(2)]);
  const [, next] = await pair.clock.advance(0).then(() => pair.one.sent);
  if (next === undefined) throw new Error("nothing was sent");
  for (let at = 0; at < next.length; at += 1) {
    tunnel.receive([next.slice(0, at)], "cut", undefined);
    tunnel.receive([next.with(at, (next[at] ?? 0) ^ 1)], "changed", undefined);
  }
  expect(packets.map(numberOf)).toEqual([1, 2]);
  expect(sources.slice(before)).toEqual(["path 1"]);
});

it("survives any bytes, and any change of handshake messages", async () => {
  const pair = open();
  const random = new Random(3);
  pair.send("one", [numbered(1)]);
  await pair.clock.advance(1);
  const { tunnel } = pair.other;
  const sessions = tunnel.sessions;
  const messages = [...pair.one.sent, ...pair.other.sent];
  for (let round = 0; round < 3000; round += 1) {
    const message = random.pick(messages)?.slice() ?? new Uint8Array(0);
    message[random.below(message.length)] = random.below(256);
    tunnel.receive([message.subarray(0, random.below(message.length + 1))], "a", undefined);
    tunnel.receive([message], "a", undefined);
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(5), (bytes, type) => {
      if (bytes.length >= 4) bytes.set([type, 0, 0, 0]);
      tunnel.receive([bytes], "a", undefined);
    }),
  );
  expect(tunnel.sessions).toBe(sessions);
  pair.send("one", [numbered(2)]);
  await pair.clock.advance(10_000);
  expect(pair.other.packets.map(numberOf)).toEqual([1, 2]);
});

it("drops packets whose source is not their sender's, and those to nobody", async () => {
  const pair = await openConnected();
  const { one, other } = pair;
  const stranger = { address: other.address.with(15, 99) };
  one.tunnel.send([
    packetTo(other, stranger, numbered(1)),
    packetTo(stranger, one, numbered(2)),
    new Uint8Array(60),
    packetTo(other, one, numbered(3)).subarray(0, 44),
    packetTo(other, one, numbered(4)),
  ]);
  await pair.clock.advance(1);
  expect(one.sent).toHaveLength(2);
  expect(other.packets.map(numberOf)).toEqual([4]);
});

it("gives an address to the peer that was configured with it last", async () => {
  const pair = await openConnected();
  const { one, other, clock } = pair;
  const third = crypto.createKeyPair().publicKey;
  const settings = { allowedAddresses: [other.address], persistentKeepaliveMs: undefined };
  one.tunnel.setPeer({ publicKey: third, ...settings });
  pair.send("other", [numbered(1)]);
  await clock.advance(1);
  expect(one.packets).toEqual([]);
  one.tunnel.setPeer({ publicKey: other.tunnel.publicKey, ...settings });
  pair.send("other", [numbered(2)]);
  await clock.advance(1);
  expect(one.packets.map(numberOf)).toEqual([2]);
  expect(one.tunnel.peers()).toEqual([other.tunnel.publicKey, third]);
});

it("forgets a peer that is removed", async () => {
  const pair = await openConnected();
  const { one, other, clock } = pair;
  pair.send("other", [numbered(1)]);
  other.tunnel.removePeer(one.tunnel.publicKey);
  pair.send("other", [numbered(2)]);
  pair.send("one", [numbered(3)]);
  await clock.advance(400_000);
  expect(one.packets).toEqual([]);
  expect(other.packets).toEqual([]);
  expect(other.tunnel.sessions).toBe(0);
  expect(other.sent).toEqual([]);
  expect(other.tunnel.lastHandshakeAt(one.tunnel.publicKey)).toBeUndefined();
});

it("refuses keys and addresses that cannot be", async () => {
  const { tunnel } = open().one;
  const settings = { allowedAddresses: [], persistentKeepaliveMs: undefined };
  for (const publicKey of [new Uint8Array(32), new Uint8Array(31).fill(9)]) {
    expect(() => tunnel.setPeer({ ...settings, publicKey })).toThrow(
      expect.objectContaining({ code: "unusable-key" }),
    );
  }
  const { publicKey } = crypto.createKeyPair();
  const allowedAddresses = [new Uint8Array(4)];
  expect(() => tunnel.setPeer({ ...settings, publicKey, allowedAddresses })).toThrow(
    expect.objectContaining({ code: "malformed-address" }),
  );
  expect(tunnel.peers()).toHaveLength(1);
});

it("takes an initiation over a relay only from the key that the relay names", async () => {
  const pair = open();
  pair.one.isConnected = false;
  pair.send("one", [numbered(1)]);
  await pair.clock.advance(0);
  const [initiation] = pair.one.sent;
  if (initiation === undefined) throw new Error("nothing was sent");
  const { tunnel } = pair.other;
  tunnel.receive([initiation.slice()], "relay", crypto.createKeyPair().publicKey);
  expect(tunnel.sessions).toBe(0);
  tunnel.receive([initiation.slice()], "relay", pair.one.tunnel.publicKey);
  expect(tunnel.sessions).toBe(1);
});

it("connects through a flood of handshakes, by a cookie", async () => {
  const handshakeLimits = { loadPerSecond: 10, maxPerSecond: 100 };
  const pair = open({ tunnel: { handshakeLimits } });
  const { clock, one, other } = pair;
  const flood: Uint8Array[] = [];
  await using attacker = new Tunnel<string>({
    privateKey: new Uint8Array(32).fill(66),
    crypto,
    clock,
    transmit: (_, datagrams) => void flood.push(...datagrams),
    deliver: () => undefined,
  });
  const settings = { allowedAddresses: [], persistentKeepaliveMs: undefined };
  attacker.setPeer({ ...settings, publicKey: other.tunnel.publicKey });
  attacker.initiate(other.tunnel.publicKey);
  await clock.advance(0);
  const [initiation] = flood;
  if (initiation === undefined) throw new Error("no attack");
  pair.send("one", [numbered(1)]);
  for (let ms = 0; ms < 8000; ms += 10) {
    for (let count = 0; count < 10; count += 1) {
      other.tunnel.receive([initiation.slice()], `attacker ${String(ms + count)}`, undefined);
    }
    await clock.advance(10);
  }
  expect(other.packets.map(numberOf)).toEqual([1]);
  expect(kinds(one.sent).filter((kind) => kind === "initiation")).toHaveLength(2);
  const replies = kinds(other.sent).filter((kind) => kind === "cookie-reply");
  expect(replies.length).toBeLessThanOrEqual(900);
  expect(other.tunnel.sessions).toBe(1);
});

it("holds little for peers that are never there", async () => {
  const pair = open();
  const { one, clock } = pair;
  const addresses = Array.from({ length: 50 }, (_, host) => one.address.with(14, host));
  for (const address of addresses) {
    const { publicKey } = crypto.createKeyPair();
    one.tunnel.setPeer({
      publicKey,
      allowedAddresses: [address],
      persistentKeepaliveMs: undefined,
    });
  }
  for (let round = 0; round < 20; round += 1) {
    one.tunnel.send(addresses.map((address) => packetTo({ address }, one, numbered(round))));
    await clock.advance(1000);
  }
  expect(one.tunnel.sessions).toBe(50);
  await clock.advance(600_000);
  expect(one.tunnel.sessions).toBe(0);
  expect(clock.sleepers).toBe(2);
});
