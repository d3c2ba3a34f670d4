import { setImmediate as turn } from "node:timers/promises";

import { silentLogger } from "@slipway/runtime";
import { createFakeClock, type FakeClock } from "@slipway/testkit";
import { encodeHex, parseHex } from "@slipway/wire";
import { expect, it, onTestFinished } from "vitest";

import { nodeAt, regionOf } from "../../tests/support/regions.ts";
import { type ScriptedConnection, ScriptedRelay } from "../../tests/support/scripted-relay.ts";
import { nobleCrypto } from "../crypto/noble-crypto.ts";
import { RelayError } from "./errors.ts";
import { RelayClient, type RelayClientOptions } from "./relay-client.ts";

const peer = new Uint8Array(32).fill(7);

interface Opened {
  readonly relay: ScriptedRelay;
  readonly clock: FakeClock;
  readonly client: RelayClient;
  readonly received: string[];
  readonly gone: string[];
}

function open(
  changes: Partial<RelayClientOptions> = {},
  failures: readonly RelayError[] = [],
): Opened {
  const relay = new ScriptedRelay();
  relay.failures.push(...failures);
  const clock = createFakeClock();
  const received: string[] = [];
  const gone: string[] = [];
  const client = new RelayClient({
    region: regionOf(1, nodeAt(1)),
    identity: nobleCrypto.createKeyPair(),
    crypto: nobleCrypto,
    clock,
    logger: silentLogger,
    dialer: relay,
    isHome: false,
    forceWebSocket: false,
    onPackets: (source, packets) => {
      const texts = packets.map((packet) => Buffer.from(packet).toString());
      received.push(`${encodeHex(source).slice(0, 2)}: ${texts.join(",")}`);
    },
    onPeerGone: (key, reason) => gone.push(`${encodeHex(key).slice(0, 2)} ${reason}`),
    onStatus: () => undefined,
    ...changes,
  });
  onTestFinished(async () => {
    relay.connections.at(-1)?.startReading();
    await client.close();
  });
  return { relay, clock, client, received, gone };
}

async function openConnected(
  changes: Partial<RelayClientOptions> = {},
): Promise<Opened & { readonly connection: ScriptedConnection }> {
  const opened = open(changes);
  await turn();
  const { last } = opened.relay;
  await last.accept();
  expect(opened.client.isConnected).toBe(true);
  return { ...opened, connection: last };
}

function text(...texts: readonly string[]): readonly Uint8Array[] {
  return texts.map((one) => Buffer.from(one));
}

it("logs in as in the example of the specification, and calls the relay its home", async () => {
  const fixed = { ...nobleCrypto, randomBytes: () => new Uint8Array(24).fill(0xaa) };
  const written: string[] = [];
  const { relay, client } = open({
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
  const { relay, client } = open();
  client.send(peer, text("early"));
  await turn();
  await relay.last.accept();
  const before = relay.last.writes;
  client.send(peer, text("one", "two"));
  client.send(new Uint8Array(32).fill(8), text("", "three"));
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
  // The first batch was with the system before.
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
  const { relay, client, clock } = open();
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
});

it("drops packets that are larger than a relay carries", async () => {
  const { connection, client } = await openConnected();
  client.send(peer, [new Uint8Array(65_537), new Uint8Array(65_536)]);
  await turn();
  expect(connection.all("send-packet").map(({ packet }) => packet.length)).toEqual([65_536]);
});

it("connects again after a silence of two minutes, but not while keep-alives come", async () => {
  const { relay, connection, client, clock } = await openConnected();
  for (let count = 0; count < 5; count += 1) {
    await clock.advance(60_000);
    connection.say({ type: "keep-alive" });
  }
  await clock.advance(119_000);
  expect(connection.state).toBe("open");
  await clock.advance(1_100);
  expect(connection.state).toBe("destroyed");
  expect(client.status.lastFailure?.message).toBe("the relay is silent");
  await clock.advance(200);
  await relay.last.accept();
  expect([relay.connections.length, client.isConnected]).toEqual([2, true]);
});

it("waits longer after each failure, at most five seconds", async () => {
  const failures = Array.from({ length: 100 }, () => new RelayError("tcp", "refused"));
  const { relay, clock } = open({}, failures);
  await clock.advance(1_000);
  expect(relay.dialed.length).toBeGreaterThan(3);
  await clock.advance(60_000);
  const before = relay.dialed.length;
  await clock.advance(60_000);
  const rest = relay.dialed.length - before;
  expect(rest).toBeGreaterThanOrEqual(12);
  expect(rest).toBeLessThanOrEqual(15);
});

it("does not come back at once to a relay that ends each connection after the login", async () => {
  const { relay, clock } = open();
  await turn();
  for (let count = 0; count < 10; count += 1) {
    await relay.last.accept();
    relay.last.hangUp();
    const before = relay.connections.length;
    await clock.advance(5_000);
    expect(relay.connections.length).toBe(before + 1);
  }
  await relay.last.accept();
  relay.last.hangUp();
  const before = relay.connections.length;
  await clock.advance(3_900);
  expect(relay.connections.length).toBe(before);
});

it("comes back to a restarting relay when that says, within bounds", async () => {
  const { relay, connection, clock } = await openConnected();
  connection.say({ type: "restarting", reconnectInMs: 1_500, tryForMs: 30_000 });
  connection.hangUp();
  await clock.advance(1_400);
  expect(relay.connections).toHaveLength(1);
  await clock.advance(200);
  expect(relay.connections).toHaveLength(2);
  await relay.last.accept();
  relay.last.say({ type: "restarting", reconnectInMs: 0xffff_ffff, tryForMs: 0 });
  relay.last.hangUp();
  await clock.advance(30_100);
  expect(relay.connections).toHaveLength(3);
});

it("uses WebSockets from the attempt after an upgrade was refused, and keeps the reason", async () => {
  const { relay, client, clock } = open({}, [
    new RelayError("tcp", "no connection"),
    new RelayError("upgrade", "502 Bad Gateway", { status: 502 }),
    new RelayError("upgrade", "400 Bad Request: no", { status: 400 }),
    new RelayError("upgrade", "404 Not Found", { status: 404 }),
  ]);
  await clock.advance(10_000);
  expect(relay.dialed).toEqual(["upgrade", "upgrade", "upgrade", "websocket", "websocket"]);
  expect(client.status.forcedWebSocket).toBe("400 Bad Request: no");
});

it("uses WebSockets from the first attempt where that is asked for", async () => {
  const { relay, client } = open({ forceWebSocket: true });
  await turn();
  expect(relay.dialed).toEqual(["websocket"]);
  expect(client.status.forcedWebSocket).toBeUndefined();
});

it("tries the nodes of a region in turn, by WebSocket only the first", async () => {
  const region = regionOf(1, nodeAt(1, { isStunOnly: true }), nodeAt(2), nodeAt(3));
  const failures = [new RelayError("tcp", "a"), new RelayError("tcp", "b")];
  const upgrades = open({ region }, failures);
  await turn();
  expect(upgrades.relay.dialed).toHaveLength(2);
  expect(upgrades.client.status.lastFailure).toMatchObject({ rung: "tcp", message: "b" });
  const webSockets = open({ region, forceWebSocket: true }, failures);
  await turn();
  expect(webSockets.relay.dialed).toHaveLength(1);
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
  client.send(peer, text("last"));
  await client.close();
  expect([connection.packets, connection.state]).toEqual([["last"], "ended"]);
  const stalled = await openConnected();
  stalled.connection.stopReading();
  stalled.client.send(peer, text("last"));
  const closing = stalled.client.close();
  await stalled.clock.advance(1_100);
  await closing;
  expect(stalled.client.status.connection).toEqual({ type: "closed" });
});

const hostile: readonly (readonly [string, (connection: ScriptedConnection) => void, string])[] = [
  [
    "garbage in place of a greeting",
    (relay) => relay.sayBytes(Buffer.from("HTTP/1.1 200 OK\r\n\r\n")),
    "the relay broke the protocol: frame of type 72",
  ],
  [
    "a greeting of another protocol",
    (relay) => relay.sayBytes(parseHex(`0100000028${"41".repeat(40)}`)),
    "the server's key does not begin with the magic",
  ],
  [
    "a greeting that is too long",
    (relay) => relay.sayBytes(parseHex("0100000401")),
    "frame of type 1 with 1025 bytes, wanted at most 1024",
  ],
  [
    "packets before its key",
    (relay) => relay.say({ type: "recv-packet", source: peer, packet: peer }),
    "the relay began with a frame recv-packet, wanted its key",
  ],
  [
    "a key of low order",
    (relay) => relay.say({ type: "server-key", key: new Uint8Array(32) }),
    "the relay's key is not usable",
  ],
];

it.each(hostile)("refuses %s", async (_what, act, message) => {
  const { relay, client, received } = open();
  await turn();
  act(relay.last);
  expect(relay.last.state).toBe("destroyed");
  await turn();
  expect(client.status.lastFailure).toMatchObject({ rung: "login" });
  expect(client.status.lastFailure?.message).toContain(message);
  expect(received).toEqual([]);
});

it("refuses an answer to the login that another key has made", async () => {
  const { relay, client } = open();
  await turn();
  relay.last.greet();
  await turn();
  relay.last.say({ type: "server-info", nonce: new Uint8Array(24), box: new Uint8Array(40) });
  await turn();
  expect(client.status.lastFailure?.message).toBe("the relay does not have the key that it sent");
});

it("does not wait for the login longer than ten seconds, however the relay drips", async () => {
  const { relay, client, clock } = open();
  await turn();
  const { last } = relay;
  last.greet();
  for (let count = 0; count < 9; count += 1) {
    await clock.advance(1_000);
    last.say({ type: "keep-alive" });
  }
  expect(last.state).toBe("open");
  await clock.advance(1_100);
  expect(last.state).toBe("destroyed");
  expect(client.status.lastFailure?.message).toBe("the relay did not complete the login in time");
});

it("drops a relay that sends a frame of more than a megabyte, or a packet of more than 64 KiB", async () => {
  const one = await openConnected();
  one.connection.sayBytes(parseHex("0500100001"));
  expect(one.connection.state).toBe("destroyed");
  const other = await openConnected();
  other.connection.say({ type: "recv-packet", source: peer, packet: new Uint8Array(65_537) });
  expect([other.connection.state, other.received]).toEqual(["destroyed", []]);
  const short = await openConnected();
  short.connection.sayBytes(parseHex("050000001f" + "00".repeat(31)));
  expect(short.connection.state).toBe("destroyed");
});

it("takes a silence in the middle of a frame for a silence", async () => {
  const { connection, clock } = await openConnected();
  connection.sayBytes(parseHex("0500000100"));
  for (let count = 0; count < 12; count += 1) {
    await clock.advance(10_000);
    connection.sayBytes(Uint8Array.of(0));
  }
  await clock.advance(100);
  expect(connection.state).toBe("destroyed");
});

it("bounds its answers to a flood of pings that nobody reads", async () => {
  const { connection } = await openConnected();
  connection.stopReading();
  const data = new Uint8Array(8);
  for (let count = 0; count < 10_000; count += 1) connection.say({ type: "ping", data });
  await turn();
  connection.startReading();
  await turn();
  expect(connection.all("pong").length).toBeLessThan(700);
  expect(connection.all("pong").length).toBeGreaterThan(0);
});
