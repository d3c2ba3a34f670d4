import { setImmediate as turn } from "node:timers/promises";

import { expect, it } from "vitest";

import { openClient, openConnected } from "../../tests/support/opened-relay-client.ts";
import { nodeAt, regionOf } from "../../tests/support/regions.ts";
import { RelayError } from "./errors.ts";

/* The timing and manner of a client's reconnects to its relay. */

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
  const { relay, clock } = openClient({}, failures);
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
  const { relay, clock } = openClient();
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
  // The wait is not that of the restart again.
  await relay.last.accept();
  relay.last.hangUp();
  await clock.advance(5_000);
  expect(relay.connections).toHaveLength(4);
});

it("uses WebSockets from the attempt after an upgrade was refused, and keeps the reason", async () => {
  const { relay, client, clock } = openClient({}, [
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
  const { relay, client } = openClient({ forceWebSocket: true });
  await turn();
  expect(relay.dialed).toEqual(["websocket"]);
  expect(client.status.forcedWebSocket).toBeUndefined();
});

it("tries the nodes of a region in turn, by WebSocket only the first", async () => {
  const region = regionOf(1, nodeAt(1, { isStunOnly: true }), nodeAt(2), nodeAt(3));
  const failures = [new RelayError("tcp", "a"), new RelayError("tcp", "b")];
  const upgrades = openClient({ region }, failures);
  await turn();
  expect(upgrades.relay.dialed).toHaveLength(2);
  expect(upgrades.client.status.lastFailure).toMatchObject({ rung: "tcp", message: "b" });
  const webSockets = openClient({ region, forceWebSocket: true }, failures);
  await turn();
  expect(webSockets.relay.dialed).toHaveLength(1);
});
