import { randomUUID } from "node:crypto";

import { silentLogger } from "@slipway/runtime";
import {
  createFakeClock,
  type FakeClock,
  openTestDatabase,
  type TestDatabase,
} from "@slipway/testkit";
import { afterEach, beforeEach, expect, inject, it, vi } from "vitest";

import {
  monitorConnection,
  sessionWrites,
} from "../src/features/agents/connections/connection-monitor.ts";
import {
  type AgentSession,
  markConnected,
} from "../src/features/agents/connections/connection-queries.ts";
import { GatheredHeartbeat } from "../src/features/agents/connections/heartbeat.ts";
import { selectAgent } from "../src/features/agents/queries.ts";
import { openDatabase } from "../src/platform/db/database.ts";
import { HeartbeatConnection } from "../src/platform/db/heartbeat-connection.ts";
import { LocalListeners } from "../src/platform/pubsub/local-listeners.ts";
import type { Listener } from "../src/platform/pubsub/pubsub.ts";
import { fillPool } from "./support/full-pool.ts";
import { holdOpen } from "./support/lock-waits.ts";
import { seedAgent, seedBuild, seedWorkspace } from "./support/rows.ts";

const periodMs = 15_500;
/** A session that never holds its agent's row. */
const companion = { onTakeOver: undefined };

let database: TestDatabase;
let clock: FakeClock;
let connection: HeartbeatConnection;
let heartbeat: GatheredHeartbeat;

beforeEach(async () => {
  database = await openTestDatabase(inject("postgresUrl"));
  clock = createFakeClock();
  const { db, url } = database;
  connection = new HeartbeatConnection({ db, address: { url }, logger: silentLogger });
  heartbeat = new GatheredHeartbeat(connection, clock, silentLogger);
});

afterEach(async () => {
  await heartbeat[Symbol.asyncDispose]();
  await connection[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

function sessionOf(agentId: string): AgentSession {
  const authenticatedAt = new Date().toISOString();
  return { agentId, connectionId: randomUUID(), replicaId: randomUUID(), authenticatedAt };
}

/** Opens a peer that records what happens to it. */
function openPeer(answers: boolean) {
  const reasons: string[] = [];
  let pings = 0;
  return {
    reasons,
    get pings() {
      return pings;
    },
    ping: (onPong: () => void) => {
      pings += 1;
      if (answers) onPong();
    },
    close: (reason: string) => void reasons.push(reason),
  };
}

async function seedRunningAgent(): Promise<string> {
  const build = { number: 1, transition: "start", job: "succeeded" } as const;
  return seedAgent(
    database.db,
    await seedBuild(database.db, await seedWorkspace(database.db), build),
  );
}

it("notes all sessions that are due, and closes those whose build is outdated", async () => {
  const { db } = database;
  const place = await seedWorkspace(db);
  const old = await seedBuild(db, place, { number: 1, transition: "start", job: "succeeded" });
  const outdated = sessionOf(await seedAgent(db, old));
  const build = await seedBuild(db, place, { number: 2, transition: "start", job: "succeeded" });
  const current = sessionOf(await seedAgent(db, build));
  for (const session of [outdated, current]) await markConnected(db, session);
  const before = await selectAgent(db, current.agentId);

  const [first, second] = [openPeer(true), openPeer(true)];
  heartbeat.watch(outdated, first, companion);
  heartbeat.watch(current, second, companion);
  await clock.advance(periodMs);
  await vi.waitFor(() => expect(first.reasons).toEqual(["build is outdated"]));
  expect(second.reasons).toEqual([]);
  const after = await selectAgent(db, current.agentId);
  expect(Date.parse(after?.last_connected_at ?? "")).toBeGreaterThan(
    Date.parse(before?.last_connected_at ?? ""),
  );
});

it("looks soon at those it is told to, and closes them if their build is outdated", async () => {
  const { db } = database;
  const place = await seedWorkspace(db);
  const old = await seedBuild(db, place, { number: 1, transition: "start", job: "succeeded" });
  const outdated = sessionOf(await seedAgent(db, old));
  const build = await seedBuild(db, place, { number: 2, transition: "start", job: "succeeded" });
  const current = sessionOf(await seedAgent(db, build));
  const [first, second, gone] = [openPeer(true), openPeer(true), openPeer(true)];
  heartbeat.watch(current, second, companion).checkSoon();
  const ended = heartbeat.watch(outdated, gone, companion);
  ended.checkSoon();
  ended[Symbol.dispose]();
  heartbeat.watch(outdated, first, companion).checkSoon();
  await clock.advance(100);
  await vi.waitFor(() => expect(first.reasons).toEqual(["build is outdated"]));
  expect(second.reasons).toEqual([]);
  expect(gone.reasons).toEqual([]);
});

it("gives each session the same time to end by itself", async () => {
  const { db } = database;
  const place = await seedWorkspace(db);
  const old = await seedBuild(db, place, { number: 1, transition: "start", job: "succeeded" });
  const outdated = sessionOf(await seedAgent(db, old));
  await seedBuild(db, place, { number: 2, transition: "start", job: "succeeded" });
  const [early, late] = [openPeer(true), openPeer(true)];
  heartbeat.watch(outdated, early, companion).checkSoon();
  await clock.advance(99);
  const other = heartbeat.watch(outdated, late, companion);
  other.checkSoon();
  await clock.advance(1);
  await vi.waitFor(() => expect(early.reasons).toEqual(["build is outdated"]));
  expect(late.reasons).toEqual([]);
  await clock.advance(98);
  // It was mentioned before.
  other.checkSoon();
  await clock.advance(2);
  await vi.waitFor(() => expect(late.reasons).toEqual(["build is outdated"]));
});

it("closes the session of an agent that has ended since it was let in", async () => {
  const { db } = database;
  const agentId = await seedRunningAgent();
  await db
    .updateTable("workspace_agents")
    .set({ deleted: true })
    .where("id", "=", agentId)
    .execute();
  const ended = Promise.withResolvers<string>();
  const peer = { ...openPeer(true), ended: ended.promise, close: ended.resolve };
  const listeners = new LocalListeners();
  const pubsub = {
    subscribe: (topic: string, listener: Listener) => listeners.add(topic, listener),
    publish: (topic: string) => listeners.hint(topic),
  };
  const needs = {
    db,
    heartbeat,
    pubsub,
    clock,
    logger: silentLogger,
    closing: new AbortController().signal,
    onUnrecorded: () => undefined,
    ...sessionWrites({ db, clock }),
  };
  const reason = await monitorConnection(needs, peer, sessionOf(agentId), randomUUID());
  expect(reason).toBe("build is outdated");
});

it("leaves the times of a session that a newer one has taken over", async () => {
  const { db } = database;
  const first = sessionOf(await seedRunningAgent());
  await markConnected(db, first);
  await markConnected(db, { ...first, connectionId: randomUUID() });
  const before = await selectAgent(db, first.agentId);

  const peer = openPeer(true);
  heartbeat.watch(first, peer, companion);
  await clock.advance(periodMs);
  await heartbeat[Symbol.asyncDispose]();
  expect([peer.pings, peer.reasons]).toEqual([1, []]);
  expect((await selectAgent(db, first.agentId))?.last_connected_at).toBe(before?.last_connected_at);
});

it("closes a session whose peer answers no ping, and no other", async () => {
  const [silent, lively] = [openPeer(false), openPeer(true)];
  const agentId = await seedRunningAgent();
  for (const peer of [silent, lively]) heartbeat.watch(sessionOf(agentId), peer, companion);
  for (let period = 0; period < 4; period += 1) await clock.advance(periodMs);
  expect([silent.pings, silent.reasons]).toEqual([2, ["ping timeout"]]);
  expect([lively.pings, lively.reasons]).toEqual([4, []]);
});

it("notes the sessions beside one whose agent a transaction holds, and that one when it is free", async () => {
  const { db } = database;
  const build = { number: 1, transition: "start", job: "succeeded" } as const;
  const seeded = await seedBuild(db, await seedWorkspace(db), build);
  const main = await seedAgent(db, seeded);
  await db.updateTable("workspace_agents").set({ name: "gpu" }).where("id", "=", main).execute();
  const [one, other] = [sessionOf(main), sessionOf(await seedAgent(db, seeded))];
  for (const session of [one, other]) await markConnected(db, session);
  const past = "2020-01-01T00:00:00Z";
  await db.updateTable("workspace_agents").set({ last_connected_at: past }).execute();
  const areNoted = async (): Promise<readonly boolean[]> => {
    const rows = await Promise.all([one, other].map(({ agentId }) => selectAgent(db, agentId)));
    return rows.map((row) => row?.last_connected_at !== past);
  };
  // As many as there are beats, so that both agents share one.
  const peers = [one, ...Array.from({ length: 59 }, () => undefined), other].map((session) => {
    const peer = openPeer(true);
    heartbeat.watch(session ?? sessionOf(randomUUID()), peer, companion);
    return session === undefined ? [] : peer.reasons;
  });
  const held = await holdOpen(db, (trx) =>
    trx
      .updateTable("workspace_agents")
      .set({ motd_file: "changed" })
      .where("id", "=", other.agentId)
      .execute(),
  );
  await clock.advance(periodMs);
  await expect.poll(areNoted, { timeout: 20_000 }).toEqual([true, false]);
  await held.commit();
  await clock.advance(periodMs);
  await expect.poll(areNoted, { timeout: 20_000 }).toEqual([true, true]);
  expect(peers.flat()).toEqual([]);
});

it("closes sessions that cannot be noted", async () => {
  const peer = openPeer(true);
  heartbeat.watch(sessionOf("no UUID"), peer, companion);
  await clock.advance(periodMs);
  await vi.waitFor(() => expect(peer.reasons).toEqual(["database not reachable"]));
});

it("notes sessions while the pool has no connection free", async () => {
  const { url } = database;
  await using opened = new AsyncDisposableStack();
  const pool = openDatabase({ url }, silentLogger, { max: 1 });
  opened.defer(() => pool.destroy());
  const options = { db: pool, address: { url }, logger: silentLogger };
  const own = opened.use(new HeartbeatConnection(options));
  const beats = opened.use(new GatheredHeartbeat(own, clock, silentLogger));
  const session = sessionOf(await seedRunningAgent());
  await markConnected(database.db, session);
  const lastAlive = async () =>
    (await selectAgent(database.db, session.agentId))?.last_connected_at;
  const before = await lastAlive();
  const peer = openPeer(true);
  beats.watch(session, peer, companion);
  await using _ = await fillPool(pool, 1);
  await clock.advance(periodMs);
  await expect.poll(lastAlive, { timeout: 20_000, interval: 50 }).not.toBe(before);
  expect(peer.reasons).toEqual([]);
});

it("leaves a session alone that is no longer watched", async () => {
  const peer = openPeer(true);
  heartbeat.watch(sessionOf(await seedRunningAgent()), peer, companion)[Symbol.dispose]();
  await clock.advance(periodMs);
  expect(peer.pings).toBe(0);
});

it("pings sessions that came together at times of their own, each once in a period", async () => {
  const peers = Array.from({ length: 120 }, () => openPeer(true));
  for (const peer of peers) heartbeat.watch(sessionOf(randomUUID()), peer, companion);
  const pinged = (): number => peers.reduce((sum, { pings }) => sum + pings, 0);
  await clock.advance(250);
  expect(pinged()).toBe(2);
  await clock.advance(7_250);
  expect(pinged()).toBe(60);
  await clock.advance(7_500);
  expect(peers.map(({ pings }) => pings)).toEqual(peers.map(() => 1));
});
