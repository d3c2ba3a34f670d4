import { encodeHex, parseHex } from "@slipway/wire/bytes/hex";
import { encodeDerpFrame } from "@slipway/wire/derp/frame";
import { expect, it } from "vitest";

import { ScriptedClient } from "../tests/support/scripted-client.ts";
import { openTestRelay } from "../tests/support/test-relay.ts";
import { sodiumCrypto } from "./crypto.ts";

const disco = `54 53 f0 9f 92 ac ${"07".repeat(56)}`;
const discoPacket = parseHex(disco.replaceAll(" ", ""));

it("carries packets between two clients, in order and in both directions", () => {
  const { relay } = openTestRelay();
  const ann = new ScriptedClient(relay).login();
  const bob = new ScriptedClient(relay).login();
  ann.sendPacket(bob, "one");
  ann.sendPacket(bob, "");
  bob.sendPacket(ann, "two");
  ann.sendPacket(bob, "three");
  expect(bob.packets).toEqual([
    [ann.key, "one"],
    [ann.key, ""],
    [ann.key, "three"],
  ]);
  expect(ann.packets).toEqual([[bob.key, "two"]]);
  expect(relay.counters).toMatchObject({ clients: 2, logins: 2, packets: 4 });
});

it("logs in as in the example of the specification", () => {
  const fixed = {
    ...sodiumCrypto,
    createKeyPair: () => ({
      publicKey: parseHex("7b0d47d93427f8311160781c7c733fd89f88970aef490d8aa0ee19a4cb8a1b14"),
      privateKey: new Uint8Array(32).fill(0x33),
    }),
    randomBytes: () => new Uint8Array(24).fill(0xbb),
  };
  const { relay } = openTestRelay({ crypto: fixed });
  const client = new ScriptedClient(relay);
  client.sendBytes(
    parseHex(
      "02000000687b4e909bbe7ffe44c465a220037d608ee35897d31ef972f07f74892cb0f73f13" +
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" +
        "eac04a1a619a2a8231da23eb926d7ba372505bb45cd11a3e9da87becae3822db" +
        "042088fd51026d95561226bcd9e4ebb3070000000101",
    ),
  );
  expect(client.frames.map((frame) => encodeHex(encodeDerpFrame(frame)))).toEqual([
    "010000002844455250f09f94917b0d47d93427f8311160781c7c733fd89f88970aef490d8aa0ee19a4cb8a1b14",
    "0300000035bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb680f9f50243bd203410693117aaeb7b3e9573097c38f4fa9a0c3172278",
  ]);
});

it("returns a packet to the key that sent it", () => {
  const { relay } = openTestRelay();
  const ann = new ScriptedClient(relay).login();
  ann.sendPacket(ann, "echo");
  expect(ann.packets).toEqual([[ann.key, "echo"]]);
});

it("answers pings, and skips what it does not know", () => {
  const { relay } = openTestRelay();
  const ann = new ScriptedClient(relay).login();
  const data = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  for (const frame of [
    { type: "note-preferred", isPreferred: true },
    { type: "pong", data },
    { type: "health", problem: "none" },
  ] as const) {
    ann.send(frame);
  }
  ann.sendBytes(parseHex("7f0000000401020304"));
  ann.sendBytes(ann.loginBytes());
  ann.send({ type: "ping", data });
  expect(ann.all("pong")).toEqual([{ type: "pong", data }]);
  expect(ann.isOpen).toBe(true);
});

it("tells of an unknown destination only for messages about paths, three at once and one a second", async () => {
  const { relay, clock } = openTestRelay();
  const ann = new ScriptedClient(relay).login();
  const nobody = new Uint8Array(32).fill(9);
  ann.sendPacket(nobody, "data");
  expect(ann.all("peer-gone")).toEqual([]);
  for (let count = 0; count < 10; count += 1) ann.sendPacket(nobody, discoPacket);
  expect(ann.all("peer-gone")).toEqual([
    { type: "peer-gone", key: nobody, reason: 1 },
    { type: "peer-gone", key: nobody, reason: 1 },
    { type: "peer-gone", key: nobody, reason: 1 },
  ]);
  await clock.advance(1000);
  ann.sendPacket(nobody, discoPacket);
  ann.sendPacket(nobody, discoPacket);
  expect(ann.all("peer-gone")).toHaveLength(4);
  expect(relay.counters.droppedPackets.unknownDestination).toBe(13);
});

it("tells those whom a client sent packets to that it is gone, and no others", () => {
  const { relay } = openTestRelay();
  const [ann, bob, eve] = [1, 2, 3].map(() => new ScriptedClient(relay).login());
  if (ann === undefined || bob === undefined || eve === undefined) return;
  ann.sendPacket(bob, "hello");
  eve.sendPacket(ann, "hello");
  ann.disconnect();
  expect(bob.all("peer-gone").map(({ key, reason }) => [encodeHex(key), reason])).toEqual([
    [ann.key, 0],
  ]);
  expect(eve.all("peer-gone")).toEqual([]);
  expect(relay.counters.clients).toBe(2);
});

it("sends the packets of a key to the connection that spoke last", () => {
  const { relay } = openTestRelay();
  const ann = new ScriptedClient(relay).login();
  const first = new ScriptedClient(relay).login();
  const second = new ScriptedClient(relay, { keys: first.keys }).login();
  ann.sendPacket(first, "to the newest");
  first.send({ type: "note-preferred", isPreferred: true });
  ann.sendPacket(first, "to the one that spoke");
  first.disconnect();
  ann.sendPacket(first, "to the one that is left");
  expect(first.packets.map(([, text]) => text)).toEqual(["to the one that spoke"]);
  expect(second.packets.map(([, text]) => text)).toEqual([
    "to the newest",
    "to the one that is left",
  ]);
});

it("does not tell that a key is gone while it has another connection", () => {
  const { relay } = openTestRelay();
  const ann = new ScriptedClient(relay).login();
  const bob = new ScriptedClient(relay).login();
  const again = new ScriptedClient(relay, { keys: bob.keys }).login();
  bob.sendPacket(ann, "hello");
  bob.disconnect();
  expect(ann.all("peer-gone")).toEqual([]);
  again.disconnect();
  expect(ann.all("peer-gone")).toHaveLength(1);
});

it("sends keep-alives at an interval of each connection's own", async () => {
  const { relay, clock } = openTestRelay();
  const clients = Array.from({ length: 20 }, () => new ScriptedClient(relay).login());
  await clock.advance(59_000);
  expect(clients.flatMap((client) => client.all("keep-alive"))).toEqual([]);
  const times = new Set<number>();
  for (let second = 60; second <= 67; second += 1) {
    await clock.advance(1000);
    times.add(clients.filter((client) => client.all("keep-alive").length > 0).length);
  }
  expect(times.size).toBeGreaterThan(2);
  expect(clients.every((client) => client.all("keep-alive").length === 1)).toBe(true);
});

it("tells clients when it closes, and sends what waits before", async () => {
  const { relay, clock } = openTestRelay();
  const ann = new ScriptedClient(relay).login();
  const bob = new ScriptedClient(relay).login();
  bob.stopReading();
  ann.sendPacket(bob, "first");
  ann.sendPacket(bob, "second");
  const closing = relay.close(1000);
  expect(ann.all("restarting")).toHaveLength(1);
  bob.startReading();
  await clock.advance(1000);
  await closing;
  expect(bob.packets).toHaveLength(2);
  expect(bob.all("restarting")).toHaveLength(1);
  expect([ann.isOpen, bob.isOpen]).toEqual([false, false]);
  const late = new ScriptedClient(relay);
  expect([late.isOpen, late.frames]).toEqual([false, []]);
});

it("does not wait for a client that does not read when it closes", async () => {
  const { relay, clock } = openTestRelay();
  const ann = new ScriptedClient(relay).login();
  ann.stopReading();
  ann.send({ type: "ping", data: new Uint8Array(8) });
  const closing = relay.close(1000);
  await clock.advance(1100);
  await closing;
  expect(ann.isOpen).toBe(false);
});
