import { encodeClientInfo } from "@slipway/wire/derp/login";
import { expect, it } from "vitest";

import { linkRelays } from "../tests/support/linked-relays.ts";
import { ScriptedClient } from "../tests/support/scripted-client.ts";
import { openTestRelay } from "../tests/support/test-relay.ts";
import { sodiumCrypto } from "./crypto.ts";
import { encodeMeshLogin } from "./mesh-login.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const meshKey = "k".repeat(32);

it("carries packets between clients of two relays", async () => {
  const [{ relay: one }, { relay: two }] = [openTestRelay({ meshKey }), openTestRelay({ meshKey })];
  const early = new ScriptedClient(two).login();
  linkRelays(one, two);
  linkRelays(two, one);
  await turn();
  const ann = new ScriptedClient(one).login();
  const late = new ScriptedClient(two).login();
  await turn();
  ann.sendPacket(early, "to one that was there");
  ann.sendPacket(late, "to one that came later");
  await turn();
  late.sendPacket(ann, "back");
  await turn();
  expect(early.packets).toEqual([[ann.key, "to one that was there"]]);
  expect(late.packets).toEqual([[ann.key, "to one that came later"]]);
  expect(ann.packets).toEqual([[late.key, "back"]]);
  expect(one.counters).toMatchObject({ links: 2, clients: 1, forwardedPackets: 2 });
});

it("forgets the keys of another relay when they leave, and when the link is cut", async () => {
  const [{ relay: one }, { relay: two }] = [openTestRelay({ meshKey }), openTestRelay({ meshKey })];
  const cut = linkRelays(one, two);
  const ann = new ScriptedClient(one).login();
  const [bob, eve] = [new ScriptedClient(two).login(), new ScriptedClient(two).login()];
  await turn();
  bob.disconnect();
  await turn();
  ann.sendPacket(bob, "lost");
  expect(one.counters.droppedPackets.unknownDestination).toBe(1);
  cut();
  ann.sendPacket(eve, "lost too");
  expect(one.counters.droppedPackets.unknownDestination).toBe(2);
  expect(one.counters.links).toBe(0);
});

it("abandons a link to itself", async () => {
  const { relay } = openTestRelay({ meshKey });
  linkRelays(relay, relay);
  await turn();
  expect(relay.counters).toMatchObject({ links: 0, closed: { "own-relay": 1 } });
});

it.each([
  ["another secret", "x".repeat(32), meshKey],
  ["no secret", "", meshKey],
  ["a relay without a mesh", meshKey, ""],
  ["no secret at a relay without a mesh", "", ""],
])("closes clients that send frames of the mesh with %s", (_, given, wanted) => {
  const { relay } = openTestRelay({ meshKey: wanted });
  const key = new Uint8Array(32).fill(1);
  for (const frame of [
    { type: "watch-conns" },
    { type: "close-peer", key },
    { type: "forward-packet", source: key, destination: key, packet: new Uint8Array(1) },
  ] as const) {
    const client = new ScriptedClient(relay, { meshKey: given }).login();
    client.send(frame);
    expect(client.isOpen).toBe(false);
  }
});

it("closes all connections of a key for another relay", () => {
  const { relay } = openTestRelay({ meshKey });
  const ann = new ScriptedClient(relay).login();
  const again = new ScriptedClient(relay, { keys: ann.keys }).login();
  const mesh = new ScriptedClient(relay, { meshKey }).login();
  mesh.send({ type: "close-peer", key: ann.keys.publicKey });
  expect([ann.isOpen, again.isOpen, mesh.isOpen]).toEqual([false, false, true]);
});

it("delivers forwarded packets to its own clients only", async () => {
  const [{ relay: one }, { relay: two }] = [openTestRelay({ meshKey }), openTestRelay({ meshKey })];
  linkRelays(one, two);
  const bob = new ScriptedClient(two).login();
  await turn();
  const mesh = new ScriptedClient(one, { meshKey }).login();
  const source = new Uint8Array(32).fill(1);
  const packet = new Uint8Array(3);
  mesh.send({ type: "forward-packet", source, destination: bob.keys.publicKey, packet });
  await turn();
  expect(bob.packets).toEqual([]);
});

it("gives up a link on which nothing comes", async () => {
  const { relay, clock } = openTestRelay({ meshKey });
  const { relay: other, clock: otherClock } = openTestRelay({ meshKey });
  linkRelays(relay, other);
  await turn();
  expect(relay.counters.links).toBe(1);
  await clock.advance(100_000);
  await otherClock.advance(66_000);
  await turn();
  await clock.advance(100_000);
  expect(relay.counters.links).toBe(1);
  await clock.advance(21_000);
  expect(relay.counters).toMatchObject({ links: 0, closed: { "silent-link": 1 } });
});

it("takes no proof of another connection for the key, nor the key itself", async () => {
  const { relay } = openTestRelay({ meshKey });
  const other = new ScriptedClient(relay, { meshKey });
  const replayed = other.loginBytes();
  const impostor = new ScriptedClient(relay, { keys: other.keys });
  impostor.sendBytes(replayed);
  expect([impostor.isOpen, relay.counters.links]).toEqual([false, 0]);
  const proof = encodeMeshLogin(meshKey, other.linkEnds(other.relayKey));
  for (const claimed of [meshKey, proof, ""]) {
    const eve = new ScriptedClient(relay);
    const { publicKey, privateKey } = eve.keys;
    const nonce = sodiumCrypto.randomBytes(24);
    const info = encodeClientInfo({ meshKey: claimed, canAckPings: true });
    const box = sodiumCrypto.sealBox(info, { nonce, publicKey: eve.relayKey, privateKey });
    eve.send({ type: "client-info", key: publicKey, nonce, box });
    // It is an ordinary client, which may not forward.
    eve.send({ type: "watch-conns" });
    expect([eve.isOpen, relay.counters.links]).toEqual([false, 0]);
  }
});

it("reads a link as fast as it comes, whatever one client may send", async () => {
  const limits = { maxBytesPerSecond: 1_000 };
  const [{ relay: one }, { relay: two }] = [
    openTestRelay({ meshKey }),
    openTestRelay({ meshKey, limits }),
  ];
  const link = new ScriptedClient(two, { meshKey }).login();
  const bob = new ScriptedClient(two).login();
  const source = new ScriptedClient(one).keys.publicKey;
  for (let count = 0; count < 10; count += 1) {
    const packet = new Uint8Array(1_000);
    link.send({ type: "forward-packet", source, destination: bob.keys.publicKey, packet });
  }
  expect([link.isPaused, bob.packets.length]).toEqual([false, 10]);
});
