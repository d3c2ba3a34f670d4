import { randomUUID } from "node:crypto";

import { silentLogger, systemClock } from "@slipway/runtime";
import { openTestDatabase, type TestDatabase } from "@slipway/testkit";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, inject, it, vi } from "vitest";

import { Coordinator } from "../src/network/coordinator/coordinator.ts";
import { PostgresDirectory } from "../src/network/coordinator/postgres-directory.ts";
import { connectionOptions, type Database, openDatabase } from "../src/platform/db/database.ts";
import { sqlStateOf } from "../src/platform/db/errors.ts";
import { HeartbeatConnection } from "../src/platform/db/heartbeat-connection.ts";
import { PostgresPubSub } from "../src/platform/pubsub/postgres-pubsub.ts";
import { TestPeer } from "./support/coordinator-world.ts";
import { fillPool } from "./support/full-pool.ts";
import { holdOpen, waitForBlocked } from "./support/lock-waits.ts";
import { seedWorkspace } from "./support/rows.ts";

const poolSize = 3;
const logger = silentLogger;
const patience = { timeout: 30_000, interval: 50 };

let opened: AsyncDisposableStack;
let database: TestDatabase;
/** The pool of a server. */
let db: Database;
let heartbeats: HeartbeatConnection;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  database = opened.use(await openTestDatabase(inject("postgresUrl")));
  const { url } = database;
  db = opened.adopt(openDatabase({ url }, logger, { max: poolSize }), (one) => one.destroy());
  heartbeats = opened.use(new HeartbeatConnection({ db, address: { url }, logger }));
});

afterEach(() => opened.disposeAsync());

const pidOf = async (on: Database): Promise<number | undefined> => {
  const { rows } = await sql<{ readonly pid: number }>`select pg_backend_pid() as pid`.execute(on);
  return rows[0]?.pid;
};

it("keeps the peers of a server whose pool has no connection free for longer than a heartbeat may take", async () => {
  const times = { heartbeatMs: 100, deadMs: 4_000, graceMs: 60_000 };
  const parts = { db, clock: systemClock, logger };
  const connection = connectionOptions({ url: database.url });
  const pubsub = opened.use(new PostgresPubSub({ ...parts, connection, replicaId: randomUUID() }));
  const directory = await PostgresDirectory.open({ ...parts, heartbeats, pubsub, times });
  const coordinator = opened.use(new Coordinator({ directory, clock: systemClock, logger }));
  const peer = new TestPeer(coordinator, new Map(), "agent", randomUUID());
  await peer.publish("a1");
  {
    await using _ = await fillPool(db, poolSize);
    const readBeatMs = async (): Promise<number> => {
      const { rows } = await sql<{ readonly ms: number }>`
        select extract(epoch from heartbeat_at)::float8 * 1000 as ms
          from tailnet_coordinators`.execute(database.db);
      return rows[0]?.ms ?? 0;
    };
    const before = await readBeatMs();
    await expect.poll(readBeatMs, patience).toBeGreaterThan(before + times.deadMs);
  }
  expect([directory.isHealthy, peer.heard]).toEqual([true, []]);
  expect(await peer.publish("a2")).toBe(true);
  peer.stop();
});

it("runs a task on the pool that needs a lock, and others meanwhile on its own connection", async () => {
  const { userId } = await seedWorkspace(database.db);
  const change = (on: Database) =>
    sql`update users set name = name where id = ${userId}`.execute(on);
  const own = await heartbeats.beat(pidOf);
  const lock = await holdOpen(database.db, (trx) => change(trx));
  const changed = heartbeats.run(async (on) => {
    await change(on);
    return pidOf(on);
  });
  await waitForBlocked(database.db);
  expect([await heartbeats.beat(pidOf), await heartbeats.run(pidOf)]).toEqual([own, own]);
  // On the pool, it waits for as long as it takes.
  await waitForBlocked(database.db);
  await lock.commit();
  expect(await changed).not.toBe(own);
});

it("leaves tasks to the pool that would wait for many others", async () => {
  const held = Promise.withResolvers<void>();
  const own = await heartbeats.beat(pidOf);
  const tasks = Array.from({ length: 4 }, () => heartbeats.run(() => held.promise));
  expect(await heartbeats.run(pidOf)).not.toBe(own);
  expect(await heartbeats.beat(pidOf)).toBe(own);
  held.resolve();
  await Promise.all(tasks);
  expect(await heartbeats.run(pidOf)).toBe(own);
});

it("repeats a task on the pool when its connection is lost, and connects again", async () => {
  const lost = await heartbeats.beat(pidOf);
  let attempts = 0;
  const pid = await heartbeats.run(async (on) => {
    attempts += 1;
    if (attempts === 1) await sql`select pg_terminate_backend(pg_backend_pid())`.execute(on);
    return pidOf(on);
  });
  expect(pid).not.toBe(lost);
  // Until the loss is noticed, tasks use the pool.
  const again = await vi.waitFor(
    async () => {
      const own = await heartbeats.run(pidOf);
      expect([lost, pid]).not.toContain(own);
      return own;
    },
    { timeout: 10_000 },
  );
  await using _ = await fillPool(db, poolSize);
  expect(await heartbeats.beat(pidOf)).toBe(again);
});

it("reports the errors of a task, without another attempt", async () => {
  let attempts = 0;
  const failed = heartbeats.run(async (on) => {
    attempts += 1;
    await sql`select 'no number'::integer`.execute(on);
  });
  const error: unknown = await failed.catch((reason: unknown) => reason);
  expect(sqlStateOf(error)).toBe("22P02");
  expect(attempts).toBe(1);
});
