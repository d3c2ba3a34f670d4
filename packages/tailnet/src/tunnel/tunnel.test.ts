import { loadNativeCrypto } from "@slipway/tailnet/node/native-crypto";
import { packetTo } from "@slipway/testkit/links";
import { expect, it } from "vitest";

import { numbered, numberOf, openConnected, openPair } from "../../tests/support/tunnel-pair.ts";

const crypto = await loadNativeCrypto();

it("carries packets of all lengths both ways, without their padding", async () => {
  const pair = openPair();
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
  const pair = openPair();
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
    const pair = openPair({ seed: seed * 100, link });
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
  const { tunnel } = openPair().one;
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

it("holds little for peers that are never there", async () => {
  const pair = openPair();
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
