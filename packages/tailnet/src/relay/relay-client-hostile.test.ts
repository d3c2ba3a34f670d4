import { setImmediate as turn } from "node:timers/promises";

import { parseHex } from "@slipway/wire/bytes/hex";
import { expect, it } from "vitest";

import { openClient, openConnected } from "../../tests/support/opened-relay-client.ts";
import { type ScriptedConnection } from "../../tests/support/scripted-relay.ts";

/* Relays that violate the protocol, trickle or flood. */

const peer = new Uint8Array(32).fill(7);

const hostile: readonly (readonly [string, (connection: ScriptedConnection) => void, string])[] = [
  [
    "garbage in place of a greeting",
    (relay) => relay.sayBytes(Buffer.from("HTTP/1.1 200 OK\r\n\r\n")),
    "the relay violated the protocol: frame of type 72",
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
    "the relay began with a recv-packet frame, wanted its key",
  ],
  [
    "a key of low order",
    (relay) => relay.say({ type: "server-key", key: new Uint8Array(32) }),
    "the relay's key is unusable",
  ],
];

it.each(hostile)("refuses %s", async (_what, act, message) => {
  const { relay, client, received } = openClient();
  await turn();
  act(relay.last);
  expect(relay.last.state).toBe("destroyed");
  await turn();
  expect(client.status.lastFailure).toMatchObject({ rung: "login" });
  expect(client.status.lastFailure?.message).toContain(message);
  expect(received).toEqual([]);
});

it("refuses an answer to the login that another key has made", async () => {
  const { relay, client } = openClient();
  await turn();
  relay.last.greet();
  await turn();
  relay.last.say({ type: "server-info", nonce: new Uint8Array(24), box: new Uint8Array(40) });
  await turn();
  expect(client.status.lastFailure?.message).toBe("the relay does not own the key that it sent");
});

it("does not wait for the login longer than ten seconds, however the relay drips", async () => {
  const { relay, client, clock } = openClient();
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
