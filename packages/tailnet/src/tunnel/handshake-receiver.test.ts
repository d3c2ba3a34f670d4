import { loadNativeCrypto } from "@slipway/tailnet/node/native-crypto";
import { Random } from "@slipway/testkit/random";
import fc from "fast-check";
import { expect, it } from "vitest";

import { kinds, numbered, numberOf, openPair } from "../../tests/support/tunnel-pair.ts";
import { Tunnel } from "./tunnel.ts";

const crypto = await loadNativeCrypto();

it("survives any bytes, and any change of handshake messages", async () => {
  const pair = openPair();
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

it("takes an initiation over a relay only from the key that the relay names", async () => {
  const pair = openPair();
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
  const pair = openPair({ tunnel: { handshakeLimits } });
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
