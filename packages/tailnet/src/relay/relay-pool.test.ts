import { setImmediate as turn } from "node:timers/promises";

import { silentLogger } from "@slipway/runtime";
import { createFakeClock, type FakeClock } from "@slipway/testkit";
import { expect, it, onTestFinished } from "vitest";

import { mapOf, nodeAt, regionOf } from "../../tests/support/regions.ts";
import { type ScriptedConnection, ScriptedRelay } from "../../tests/support/scripted-relay.ts";
import { nobleCrypto } from "../crypto/noble-crypto.ts";
import type { DerpNode } from "./derp-map.ts";
import { RelayError } from "./errors.ts";
import type { RelayStatus } from "./relay-client.ts";
import { RelayPool } from "./relay-pool.ts";
import type { RelayDialer, RelayStream, RelayTransport } from "./relay-stream.ts";

const peer = new Uint8Array(32).fill(7);
const map = mapOf(
  regionOf(1, nodeAt(1)),
  regionOf(2, nodeAt(2)),
  regionOf(3, nodeAt(3, { isStunOnly: true })),
);

/** Relays of several regions, by their node's port. */
class ScriptedRelays implements RelayDialer {
  readonly canUpgrade = true;
  readonly #relays = new Map<number, ScriptedRelay>();

  at(port: number): ScriptedRelay {
    const relay = this.#relays.get(port) ?? new ScriptedRelay();
    this.#relays.set(port, relay);
    return relay;
  }

  dial(node: DerpNode, transport: RelayTransport): Promise<RelayStream> {
    return this.at(node.port).dial(node, transport);
  }

  async accept(port: number): Promise<ScriptedConnection> {
    await turn();
    const { last } = this.at(port);
    await last.accept();
    await turn();
    return last;
  }
}

interface OpenPool {
  readonly pool: RelayPool;
  readonly relays: ScriptedRelays;
  readonly clock: FakeClock;
  readonly received: string[];
  readonly statuses: RelayStatus[];
}

function open(): OpenPool {
  const relays = new ScriptedRelays();
  const clock = createFakeClock();
  const received: string[] = [];
  const statuses: RelayStatus[] = [];
  const pool = new RelayPool({
    identity: nobleCrypto.createKeyPair(),
    crypto: nobleCrypto,
    clock,
    logger: silentLogger,
    dialer: relays,
    onPackets: (regionId, _source, packets) => {
      received.push(...packets.map((packet) => `${regionId} ${Buffer.from(packet).toString()}`));
    },
    onStatus: (status) => statuses.push(status),
  });
  onTestFinished(() => pool.close());
  pool.setMap(map);
  return { pool, relays, clock, received, statuses };
}

function send(pool: RelayPool, regionId: number, text: string): void {
  pool.send(regionId, peer, [Buffer.from(text)]);
}

it("opens regions on demand, and the home at once", async () => {
  const { pool, relays, statuses } = open();
  await turn();
  expect(pool.statuses()).toEqual([]);
  pool.setHome(1);
  const home = await relays.accept(1);
  expect(home.all("note-preferred")).toEqual([{ type: "note-preferred", isPreferred: true }]);
  send(pool, 2, "hello");
  const other = await relays.accept(2);
  expect(other.packets).toEqual(["hello"]);
  expect(other.all("note-preferred")).toEqual([]);
  expect(pool.statuses()).toMatchObject([
    { regionId: 1, isHome: true, connection: { type: "connected", transport: "upgrade" } },
    { regionId: 2, isHome: false, connection: { type: "connected" } },
  ]);
  expect(statuses.map(({ regionId, connection }) => [regionId, connection.type])).toEqual([
    [1, "connected"],
    [2, "connected"],
  ]);
});

it("answers a peer where it was heard while its own region is not open, as long as it is there", async () => {
  const { pool, relays, received } = open();
  pool.setHome(1);
  const home = await relays.accept(1);
  home.say({ type: "recv-packet", source: peer, packet: Buffer.from("knock") });
  expect(received).toEqual(["1 knock"]);
  send(pool, 2, "answer");
  await turn();
  expect([home.packets, relays.at(2).dialed]).toEqual([["answer"], []]);
  home.say({ type: "peer-gone", key: peer, reason: 0 });
  send(pool, 2, "again");
  const other = await relays.accept(2);
  expect([home.packets, other.packets]).toEqual([["answer"], ["again"]]);
});

it("prefers the open connection to a peer's own region", async () => {
  const { pool, relays } = open();
  pool.setHome(1);
  send(pool, 2, "first");
  const home = await relays.accept(1);
  const other = await relays.accept(2);
  home.say({ type: "recv-packet", source: peer, packet: Buffer.from("knock") });
  send(pool, 2, "second");
  await turn();
  expect([home.packets, other.packets]).toEqual([[], ["first", "second"]]);
  other.hangUp();
  await turn();
  send(pool, 2, "third");
  await turn();
  expect(home.packets).toEqual(["third"]);
});

it("counts packets for regions without a relay", () => {
  const { pool } = open();
  send(pool, 3, "stun only");
  send(pool, 77, "unknown");
  expect([pool.unroutablePackets, pool.statuses()]).toEqual([2, []]);
});

it("closes a region a minute after its last packet, but not the home", async () => {
  const { pool, relays, clock, statuses } = open();
  pool.setHome(1);
  const home = await relays.accept(1);
  send(pool, 2, "one");
  const other = await relays.accept(2);
  await clock.advance(50_000);
  send(pool, 2, "two");
  await clock.advance(59_000);
  expect(other.state).toBe("open");
  await clock.advance(2_000);
  expect([other.state, home.state]).toEqual(["ended", "open"]);
  expect(statuses.at(-1)).toMatchObject({ regionId: 2, connection: { type: "closed" } });
  send(pool, 2, "three");
  expect((await relays.accept(2)).packets).toEqual(["three"]);
});

it("tells every relay when the home changes, and lets the old one idle", async () => {
  const { pool, relays, clock } = open();
  pool.setHome(1);
  const first = await relays.accept(1);
  pool.setHome(2);
  const second = await relays.accept(2);
  expect(first.all("note-preferred").at(-1)).toMatchObject({ isPreferred: false });
  expect(second.all("note-preferred")).toMatchObject([{ isPreferred: true }]);
  await clock.advance(61_000);
  expect([first.state, second.state, pool.homeId]).toEqual(["ended", "open", 2]);
});

it("opens a changed home anew, and leaves other regions alone", async () => {
  const { pool, relays } = open();
  pool.setHome(1);
  const before = await relays.accept(1);
  send(pool, 2, "one");
  const other = await relays.accept(2);
  pool.setMap(mapOf(regionOf(1, nodeAt(11)), regionOf(2, nodeAt(2))));
  await turn();
  const after = await relays.accept(11);
  expect([before.state, other.state, after.state]).toEqual(["ended", "open", "open"]);
  expect(after.all("note-preferred")).toMatchObject([{ isPreferred: true }]);
});

it("has no home once the map has lost it", async () => {
  const { pool, relays } = open();
  pool.setHome(1);
  const before = await relays.accept(1);
  pool.setMap(mapOf(regionOf(2, nodeAt(2))));
  await turn();
  expect([before.state, pool.homeId, pool.statuses()]).toEqual(["ended", undefined, []]);
  pool.setHome(3);
  expect(pool.homeId).toBeUndefined();
});

it("lists the regions that refused an upgrade, for others to see", async () => {
  const { pool, relays, clock } = open();
  relays.at(1).failures.push(new RelayError("upgrade", "400 Bad Request", { status: 400 }));
  pool.setHome(1);
  await clock.advance(200);
  await relays.accept(1);
  expect([...pool.forcedWebSockets()]).toEqual([[1, "400 Bad Request"]]);
  expect(pool.statuses()).toMatchObject([{ connection: { transport: "websocket" } }]);
});

it("closes everything, and sends nothing after that", async () => {
  const { pool, relays } = open();
  pool.setHome(1);
  const home = await relays.accept(1);
  send(pool, 1, "last");
  await pool.close();
  expect([home.packets, home.state]).toEqual([["last"], "ended"]);
  send(pool, 1, "late");
  pool.setHome(2);
  pool.setMap(map);
  await turn();
  expect([pool.statuses(), relays.at(2).dialed]).toEqual([[], []]);
});
