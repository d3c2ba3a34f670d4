import { setImmediate as turn } from "node:timers/promises";

import { encodeHex, parseHex } from "@slipway/wire/bytes/hex";
import { expect, it } from "vitest";

import { openClient, openConnected, packetsOf } from "../../tests/support/opened-relay-client.ts";
import { nobleCrypto } from "../crypto/noble-crypto.ts";

const peer = new Uint8Array(32).fill(7);

it("logs in as in the example of the specification, and calls the relay its home", async () => {
  const fixed = { ...nobleCrypto, randomBytes: () => new Uint8Array(24).fill(0xaa) };
  const written: string[] = [];
  const { relay, client } = openClient({
    crypto: fixed,
    identity: {
      publicKey: parseHex("7b4e909bbe7ffe44c465a220037d608ee35897d31ef972f07f74892cb0f73f13"),
      privateKey: new Uint8Array(32).fill(0x11),
    },
    isHome: true,
  });
  await turn();
  const { last } = relay;
  const send = last.send.bind(last);
  last.send = (pieces, sent) => {
    written.push(pieces.map((piece) => encodeHex(piece)).join(""));
    send(pieces, sent);
  };
  last.sayBytes(
    parseHex(
      "010000002844455250f09f94917b0d47d93427f8311160781c7c733fd89f88970aef490d8aa0ee19a4cb8a1b14",
    ),
  );
  await turn();
  expect(written).toEqual([
    "02000000687b4e909bbe7ffe44c465a220037d608ee35897d31ef972f07f74892cb0f73f13" +
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" +
      "eac04a1a619a2a8231da23eb926d7ba372505bb45cd11a3e9da87becae3822db" +
      "042088fd51026d95561226bcd9e4ebb3070000000101",
  ]);
  last.sayBytes(
    parseHex(
      "0300000035bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb680f9f50243bd203410693117aaeb7b3e9573097c38f4fa9a0c3172278",
    ),
  );
  expect(client.status).toMatchObject({
    isHome: true,
    connection: { type: "connected", transport: "upgrade" },
  });
});

it("sends the packets of one turn in one write, and what waited before the login first", async () => {
  const { relay, client } = openClient();
  client.send(peer, packetsOf("early"));
  await turn();
  await relay.last.accept();
  const before = relay.last.writes;
  client.send(peer, packetsOf("one", "two"));
  client.send(new Uint8Array(32).fill(8), packetsOf("", "three"));
  await turn();
  expect(relay.last.packets).toEqual(["early", "one", "two", "", "three"]);
  expect(relay.last.writes).toBe(before + 1);
});

it("hands on the packets of a chunk by their source, in order", async () => {
  const { connection, received } = await openConnected();
  for (const [byte, packet] of [
    [1, "a"],
    [1, "b"],
    [2, "c"],
    [1, ""],
  ] as const) {
    connection.say({
      type: "recv-packet",
      source: new Uint8Array(32).fill(byte),
      packet: Buffer.from(packet),
    });
  }
  expect(received).toEqual(["01: a", "01: b", "02: c", "01: "]);
});

it("answers pings, tells of peers that are gone, and keeps what the relay reports", async () => {
  const { connection, client, gone } = await openConnected();
  const data = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  connection.say({ type: "ping", data });
  connection.say({ type: "peer-gone", key: peer, reason: 1 });
  connection.say({ type: "health", problem: "x".repeat(5_000) });
  connection.sayBytes(parseHex("7f0000000401020304"));
  await turn();
  expect(connection.all("pong")).toEqual([{ type: "pong", data }]);
  expect(gone).toEqual(["07 1"]);
  expect(client.status.problem).toBe("x".repeat(512));
  expect(client.isConnected).toBe(true);
});

it("tells the relay when it becomes the home, and when no longer", async () => {
  const { connection, client } = await openConnected();
  client.setHome(true);
  client.setHome(true);
  client.setHome(false);
  await turn();
  expect(connection.all("note-preferred").map(({ isPreferred }) => isPreferred)).toEqual([
    true,
    false,
  ]);
});

it("loses the oldest packets when a relay does not read, and gives it up after ten seconds", async () => {
  const { relay, connection, client, clock } = await openConnected();
  connection.stopReading();
  const packet = Buffer.alloc(1_200);
  for (let count = 0; count < 1_000; count += 1) client.send(peer, [packet]);
  await turn();
  const kept = Math.floor((512 * 1024) / 1_237);
  // The first batch was already with the system.
  expect(client.status.droppedPackets).toBeGreaterThan(1_000 - kept - 120);
  await clock.advance(9_900);
  expect(connection.state).toBe("open");
  await clock.advance(200);
  expect(connection.state).toBe("destroyed");
  expect(client.status.lastFailure).toMatchObject({
    rung: "session",
    message: "the relay does not read what it is sent",
  });
  await clock.advance(200);
  await relay.last.accept();
  await turn();
  const [first] = relay.last.all("send-packet");
  expect(first?.packet.length).toBe(1_200);
});

it("drops packets beyond the rate that the relay asks for, and larger ones than it carries", async () => {
  const { relay, client, clock } = openClient();
  await turn();
  await relay.last.accept({ bytesPerSecond: 1_000, burstBytes: 2_000 });
  const packet = Buffer.alloc(463);
  client.send(
    peer,
    Array.from({ length: 6 }, () => packet),
  );
  await turn();
  expect(relay.last.packets).toHaveLength(4);
  expect(client.status.droppedPackets).toBe(2);
  await clock.advance(500);
  client.send(peer, [packet, packet]);
  await turn();
  expect(relay.last.packets).toHaveLength(5);
  // The next relay asks for no rate.
  relay.last.hangUp();
  await clock.advance(5_000);
  await relay.last.accept();
  client.send(
    peer,
    Array.from({ length: 6 }, () => packet),
  );
  await turn();
  expect(relay.last.packets).toHaveLength(6);
});

it("drops packets that are larger than a relay carries", async () => {
  const { connection, client } = await openConnected();
  client.send(peer, [new Uint8Array(65_537), new Uint8Array(65_536)]);
  await turn();
  expect(connection.all("send-packet").map(({ packet }) => packet.length)).toEqual([65_536]);
});

it("looks whether the connection is still there, and gives it up after three seconds", async () => {
  const { relay, connection, client, clock } = await openConnected();
  client.check();
  await turn();
  const [ping] = connection.all("ping");
  connection.say({ type: "pong", data: ping?.data ?? new Uint8Array(8) });
  await clock.advance(4_000);
  expect(connection.state).toBe("open");
  client.check();
  await clock.advance(3_100);
  expect(connection.state).toBe("destroyed");
  await clock.advance(200);
  expect(relay.connections).toHaveLength(2);
});

it("sends what waits when it is closed, and does not wait long", async () => {
  const { connection, client } = await openConnected();
  client.send(peer, packetsOf("last"));
  await client.close();
  expect([connection.packets, connection.state]).toEqual([["last"], "ended"]);
  const stalled = await openConnected();
  stalled.connection.stopReading();
  stalled.client.send(peer, packetsOf("last"));
  const closing = stalled.client.close();
  await stalled.clock.advance(1_100);
  await closing;
  expect(stalled.client.status.connection).toEqual({ type: "closed" });
});
