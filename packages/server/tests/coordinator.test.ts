import { randomUUID } from "node:crypto";

import { silentLogger, systemClock } from "@slipway/runtime";
import { openTestDatabase, type TestDatabase } from "@slipway/testkit";
import { NodeSchema } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { encodeMessage } from "@slipway/wire/protobuf/message";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from "vitest";

import { selectAbsent } from "../src/network/coordinator/absent-clients.ts";
import { Coordinator } from "../src/network/coordinator/coordinator.ts";
import {
  defaultDirectoryTimes,
  type Peer,
  type PublishedNode,
} from "../src/network/coordinator/peer-directory.ts";
import { upsertPeer } from "../src/network/coordinator/queries.ts";
import { reserve } from "../src/network/coordinator/reservations.ts";
import { quickTimes, TestPeer } from "./support/coordinator-world.ts";
import { describeCoordinator } from "./support/describe-coordinator.ts";
import { holdOpen, waitForBlocked } from "./support/lock-waits.ts";
import { MemoryPeers } from "./support/memory-directory.ts";
import { openOnPostgres, openReplica, type Replica } from "./support/postgres-coordinators.ts";

const parts = { clock: systemClock, logger: silentLogger };

describeCoordinator("in memory", async () => {
  const all = new MemoryPeers(quickTimes);
  return {
    openReplica: async () => {
      const directory = all.open();
      const coordinator = new Coordinator({ directory, ...parts });
      return { coordinator, kill: async () => directory.kill() };
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
});

/** One database for all tests of the suite: a test's peers and replicas are gone when the next test starts. */
let shared: TestDatabase;

beforeAll(async () => {
  shared = await openTestDatabase(inject("postgresUrl"));
});

afterAll(() => shared[Symbol.asyncDispose]());

describeCoordinator("on PostgreSQL", () => openOnPostgres(shared));

describe("the directory on PostgreSQL", () => {
  async function open(times = quickTimes): Promise<Replica & { readonly url: string }> {
    const database = await openTestDatabase(inject("postgresUrl"));
    const replica = await openReplica(database.url, times);
    onTestFinished(async () => {
      await replica.coordinator[Symbol.asyncDispose]();
      await replica.kill();
      await database[Symbol.asyncDispose]();
    });
    return { ...replica, url: database.url };
  }

  it("has all peers connect anew when the tables were emptied", async () => {
    const { db, coordinator } = await open();
    const names = new Map<string, string>();
    const peer = new TestPeer(coordinator, names, "agent", randomUUID());
    await peer.publish("a1");
    await sql`truncate tailnet_coordinators cascade`.execute(db);
    await peer.hears("coordinator unhealthy", "end");
    const again = new TestPeer(coordinator, names, "agent", peer.id);
    expect(await again.publish("a1")).toBe(true);
    again.stop();
  });

  it("gives up while it cannot write its heartbeat, and starts over under another id", async () => {
    const { db, directory, coordinator } = await open();
    const names = new Map<string, string>();
    const peer = new TestPeer(coordinator, names, "agent", randomUUID());
    await peer.publish("a1");
    await sql`alter table tailnet_coordinators rename to gone`.execute(db);
    await peer.hears("coordinator unhealthy", "end");
    expect(directory.isHealthy).toBe(false);
    const refused = new TestPeer(coordinator, names, "agent", peer.id);
    await refused.hears("coordinator unhealthy", "end");
    await sql`alter table gone rename to tailnet_coordinators`.execute(db);
    await expect.poll(() => directory.isHealthy).toBe(true);
    const again = new TestPeer(coordinator, names, "agent", peer.id);
    expect(await again.publish("a2")).toBe(true);
    const peersOf = await sql<{ coordinator_id: string }>`
      select coordinator_id from tailnet_peers order by revision desc`.execute(db);
    const [newest, ...older] = peersOf.rows.map((row) => row.coordinator_id);
    expect(older).not.toContain(newest);
    again.stop();
  });

  it("gives up while the database does not answer its heartbeat, whatever it answers later", async () => {
    const { db, directory, coordinator } = await open();
    const names = new Map<string, string>();
    const peer = new TestPeer(coordinator, names, "agent", randomUUID());
    await peer.publish("a1");
    const held = await holdOpen(db, (trx) => sql`lock table tailnet_coordinators`.execute(trx));
    await peer.hears("coordinator unhealthy", "end");
    expect(directory.isHealthy).toBe(false);
    await held.commit();
    await expect.poll(() => directory.isHealthy).toBe(true);
    const again = new TestPeer(coordinator, names, "agent", peer.id);
    expect(await again.publish("a2")).toBe(true);
    const ids = await sql<{ id: string }>`
      select coordinator_id as id from tailnet_peers order by revision desc`.execute(db);
    const [newest, ...older] = ids.rows.map(({ id }) => id);
    expect(older).not.toContain(newest);
    again.stop();
  });

  it("keeps no more than 32 lost peers of a holder", async () => {
    const { db, coordinator } = await open();
    for (let number = 0; number < 50; number += 1) {
      const peer = new TestPeer(coordinator, new Map(), "client", randomUUID());
      await peer.publish("c");
      await peer.leave("lost");
    }
    const { rows } = await sql<{ count: number }>`
      select count(*) as count from tailnet_peers`.execute(db);
    expect(rows[0]?.count).toBeLessThanOrEqual(32);
  });

  it("reads absent clients in pages, each of them once", async () => {
    const { db, directory, coordinator } = await open();
    const clients = Array.from({ length: 5 }, () => randomUUID());
    for (const [at, id] of clients.entries()) {
      const connection = coordinator.join({ id, holder: "user:u", keyId: `k${at}`, ip: undefined });
      const bytes = encodeMessage(NodeSchema, {});
      await connection.publish({ bytes, reserved: [], latency: undefined });
      await connection.addTunnel(randomUUID());
      // One of them is present.
      if (at > 0) connection.leave("lost");
      await connection.written;
    }
    // Nothing was written between them.
    await sql`update tailnet_peers peer set revision = numbered.at
      from (select revision, row_number() over (order by revision) as at from tailnet_peers) numbered
      where numbered.revision = peer.revision`.execute(db);
    const pages = await Array.fromAsync(selectAbsent(db, quickTimes.deadMs, {}, 2));
    const ids = pages.map((page) => page.map(({ id }) => id));
    expect(ids).toEqual([
      [clients[4], clients[3]],
      [clients[2], clients[1]],
    ]);
    const [[first] = [], [second] = []] = pages;
    expect(first).toMatchObject({ userId: "u", keyId: "k4", agents: [expect.any(String)] });
    const back = coordinator.join({
      id: second?.id ?? "",
      holder: "user:u",
      keyId: "k2",
      ip: undefined,
    });
    const bytes = encodeMessage(NodeSchema, {});
    await back.publish({ bytes, reserved: [], latency: undefined });
    back.leave("lost");
    await back.written;
    // The one that returned meanwhile stays.
    await directory.removeAbsent([first, second].filter((client) => client !== undefined));
    const left = (await Array.fromAsync(selectAbsent(db, quickTimes.deadMs))).flat();
    expect(left.map(({ keyId }) => keyId)).toEqual(["k2", "k3", "k1"]);
  });

  const endings: Readonly<Record<string, (replica: Replica, client: Peer) => Promise<unknown>>> = {
    "it says goodbye": ({ directory }, { id }) => directory.remove(id),
    "it closes the tunnel": ({ directory }, { id }) => directory.removeTunnel(id, agent),
    "it is lost, and many after it": async ({ directory }, client) => {
      await directory.markLost(client, false);
      for (let number = 0; number < 32; number += 1) {
        const later = { ...client, id: randomUUID() };
        await directory.putNode(later, nodeAt([]), true);
        await directory.markLost(later, false);
      }
    },
    "it may not come back": async ({ directory }, client) => {
      await directory.markLost(client, false);
      await directory.removeAbsent((await Array.fromAsync(directory.readAbsent({}))).flat());
    },
    "its tunnel may not come back": async ({ directory }, client) => {
      await directory.markLost(client, false);
      await directory.removeAbsentTunnels([{ source: client.id, destination: agent }]);
    },
  };
  const agent = randomUUID();
  const nodeAt = (reserved: readonly string[]): PublishedNode => ({
    bytes: encodeMessage(NodeSchema, {}),
    reserved,
    latency: undefined,
  });

  it.each(Object.entries(endings))("remembers whose a tunnel was when %s", async (_, end) => {
    // Peers that are lost for longer than the grace are forgotten without a trace.
    const replica = await open({ ...quickTimes, graceMs: 60_000 });
    const { db, directory } = replica;
    const address = "fd7a:115c:a1e0::7";
    const client = { id: randomUUID(), holder: "user:ann", keyId: "k", ip: "203.0.113.9" };
    await directory.addTunnel(client, agent);
    await directory.putNode(client, nodeAt([address]), true);
    const visits = sql`select agent_id, peer_id, holder, ip, addresses from tailnet_visits`;
    expect((await visits.execute(db)).rows).toEqual([]);
    await end(replica, client);
    const { id, holder, ip } = client;
    const visit = { agent_id: agent, peer_id: id, holder, ip, addresses: [address] };
    expect((await visits.execute(db)).rows).toEqual([visit]);
    expect(await directory.readStanding(id)).toMatchObject({ destinations: [] });
  });

  it("remembers a client as it was last, and no server", async () => {
    const { db, directory } = await open();
    const client = { id: randomUUID(), holder: "user:ann", keyId: "k", ip: "203.0.113.9" };
    const self = { id: randomUUID(), holder: "server:s", keyId: undefined, ip: undefined };
    for (const peer of [self, client, { ...client, ip: "203.0.113.10" }]) {
      await directory.addTunnel(peer, agent);
      await directory.putNode(peer, nodeAt([]), true);
      await directory.remove(peer.id);
    }
    const { rows } = await sql`select holder, ip from tailnet_visits`.execute(db);
    expect(rows).toEqual([{ holder: "user:ann", ip: "203.0.113.10" }]);
  });

  it("puts one of several replicas on duty, and another once that dies", async () => {
    const { directory, url } = await open();
    expect(directory.isOnDuty).toBe(true);
    const others = [await openReplica(url), await openReplica(url)];
    const onDuty = () =>
      [directory, ...others.map((one) => one.directory)].filter((one) => one.isOnDuty);
    await expect.poll(() => onDuty().length).toBe(1);
    for (const other of others) await other.kill();
    await expect.poll(() => directory.isOnDuty).toBe(true);
  });

  it("counts the clients of a replica that died without a word as absent", async () => {
    const { directory, url } = await open();
    const dying = await openReplica(url);
    const connection = dying.coordinator.join({
      id: randomUUID(),
      holder: "user:u",
      keyId: "k",
      ip: undefined,
    });
    const bytes = encodeMessage(NodeSchema, {});
    await connection.publish({ bytes, reserved: [], latency: undefined });
    const absent = async () => {
      const pages = await Array.fromAsync(directory.readAbsent({}));
      return pages.flat().map(({ keyId }) => keyId);
    };
    expect(await absent()).toEqual([]);
    await dying.kill();
    await expect.poll(absent).toEqual(["k"]);
    await directory.removeAbsent((await Array.fromAsync(directory.readAbsent({}))).flat());
    expect(await absent()).toEqual([]);
  });

  it.each([
    { what: "new", before: [] },
    { what: "forgotten", before: ["key a", "key b"] },
  ])(
    "gives a $what value to one of two holders that publish it on two replicas at once",
    async ({ before }) => {
      const { url, db, directory } = await open(defaultDirectoryTimes);
      const other = await openReplica(url, defaultDirectoryTimes);
      onTestFinished(async () => {
        await other.coordinator[Symbol.asyncDispose]();
        await other.kill();
      });
      const peerOf = (holder: string): Peer => ({
        id: randomUUID(),
        holder,
        keyId: undefined,
        ip: undefined,
      });
      const bytes = encodeMessage(NodeSchema, {});
      const values = ["key b", "key a"];
      const first = peerOf("user:ann");
      const { rows } = await sql<{ id: string }>`select id::text from tailnet_coordinators`.execute(
        db,
      );
      const gone = before.map((value) => ({ value, holder: "user:gone", peer_id: randomUUID() }));
      if (gone.length > 0) await db.insertInto("tailnet_reservations").values(gone).execute();
      await using earlier = await holdOpen(db, async (trx) => {
        const entry = rows[0]?.id ?? "";
        const count = await reserve(trx, first, entry, values);
        const node = { bytes, reserved: values, latency: undefined, isFirst: true };
        await upsertPeer(trx, first, entry, node);
        return count;
      });
      expect(earlier.result).toBe(2);
      const later = peerOf("user:bob");
      const node = { bytes, reserved: values.toReversed(), latency: undefined };
      const publishing = other.directory.putNode(later, node, true);
      await waitForBlocked(db);
      await earlier.commit();
      expect(await publishing).toBe(false);
      const reservations = db.selectFrom("tailnet_reservations").select("holder");
      expect(await reservations.execute()).toEqual([
        { holder: "user:ann" },
        { holder: "user:ann" },
      ]);
      await directory.remove(first.id);
      expect(await other.directory.putNode(peerOf("user:bob"), node, true)).toBe(true);
    },
  );

  it("keeps the reservations of the present node alone, however often it changes", async () => {
    // These times prevent any cleanup meanwhile.
    const { db, coordinator } = await open(defaultDirectoryTimes);
    const peer = new TestPeer(coordinator, new Map(), "client", randomUUID());
    const values = (number: number) => ["address", "key"].map((what) => `${what} ${number}`);
    for (let number = 0; number < 100; number += 1) await peer.publish("c", values(number));
    const reserved = async () => {
      const rows = await db.selectFrom("tailnet_reservations").select("value").execute();
      return rows.map(({ value }) => value).toSorted();
    };
    expect(await reserved()).toEqual(values(99));
    // A replica that does not report its nodes' addresses: their reservations remain.
    await db.updateTable("tailnet_peers").set({ reserved: null }).execute();
    const stranger = new TestPeer(coordinator, new Map(), "stranger", randomUUID());
    expect(await stranger.publish("s", ["key 99"])).toBe(false);
    peer.stop();
    stranger.stop();
  });

  it("leaves nothing behind once everybody is forgotten", async () => {
    const { db, coordinator } = await open();
    const peer = new TestPeer(coordinator, new Map(), "client", randomUUID());
    await peer.connection.addTunnel(randomUUID());
    await peer.publish("c", ["fd7a::1"]);
    await peer.leave("lost");
    await expect
      .poll(async () => {
        const { rows } = await sql<{ count: number }>`
          select (select count(*) from tailnet_peers) + (select count(*) from tailnet_tunnels)
            + (select count(*) from tailnet_reservations) as count`.execute(db);
        return rows[0]?.count;
      })
      .toBe(0);
  });
});
