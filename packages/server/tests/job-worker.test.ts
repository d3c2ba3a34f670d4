import { randomUUID } from "node:crypto";

import { type Clock, silentLogger, systemClock } from "@slipway/runtime";
import { openTestDatabase, type TestDatabase } from "@slipway/testkit";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, inject, it, vi } from "vitest";

import { connectionOptions, type Database, openDatabase } from "../src/platform/db/database.ts";
import { HeartbeatConnection } from "../src/platform/db/heartbeat-connection.ts";
import { acquireJob } from "../src/platform/jobs/acquire-query.ts";
import { usualLease } from "../src/platform/jobs/job-lease.ts";
import { insertJob } from "../src/platform/jobs/queries.ts";
import { readJob } from "../src/platform/jobs/service.ts";
import { type JobHandler, JobWorker } from "../src/platform/jobs/worker.ts";
import { PostgresPubSub } from "../src/platform/pubsub/postgres-pubsub.ts";
import type { PubSub } from "../src/platform/pubsub/pubsub.ts";
import { fillPool } from "./support/full-pool.ts";
import { holdOpen } from "./support/lock-waits.ts";
import { type SeededWorkspace, seedWorkspace } from "./support/rows.ts";

/* Jobs whose worker loses them, hears late of a cancellation, has too many, or drains. */

const patience = { timeout: 20_000, interval: 20 };
const done = { error: undefined, commit: async () => {}, topics: [] };

let opened: AsyncDisposableStack;
let database: TestDatabase;
let place: SeededWorkspace;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  database = opened.use(await openTestDatabase(inject("postgresUrl")));
  place = await seedWorkspace(database.db);
});

afterEach(() => opened.disposeAsync());

/** A clock on which periodic work comes soon. */
const hasty: Clock = {
  ...systemClock,
  sleep: (ms, signal) => systemClock.sleep(ms / 50, signal),
};
/** A clock on which periodic work never comes. */
const neverAgain: Clock = {
  ...systemClock,
  sleep: (ms, signal) => systemClock.sleep(ms >= 5_000 ? 2 ** 31 : ms, signal),
};

/** Hints that are all lost. */
const deaf: PubSub = {
  subscribe: () => ({ [Symbol.dispose]: () => undefined }),
  publish: () => undefined,
};

function addJob(): Promise<string> {
  const { organizationId, userId: initiatorId, fileId } = place;
  const type = "template_version_import";
  return insertJob(database.db, { type, organizationId, initiatorId, fileId });
}

interface WorkerChoice {
  readonly clock: Clock;
  readonly maxJobs?: number;
  /** The worker's pool (default: that of the test). */
  readonly db?: Database;
  /** True if no hint reaches the worker, not even that of its first connection. */
  readonly isDeaf?: boolean;
  /** Runs before the worker asks for a job. */
  readonly onAcquire?: () => Promise<void>;
}

function openWorker(
  { clock, maxJobs = 16, db = database.db, isDeaf = false, onAcquire }: WorkerChoice,
  handler: JobHandler,
) {
  const { url } = database;
  const workerId = randomUUID();
  const common = { db, clock, logger: silentLogger };
  const connection = connectionOptions({ url });
  const pubsub = opened.use(new PostgresPubSub({ ...common, connection, replicaId: workerId }));
  const heartbeats = opened.use(new HeartbeatConnection({ ...common, address: { url } }));
  const worker = new JobWorker({
    ...common,
    heartbeats,
    pubsub: isDeaf ? deaf : pubsub,
    workerId,
    maxJobs,
    endedJobs: { inc: () => undefined },
    handlers: { template_version_import: handler },
    acquire: async (active) => {
      await onAcquire?.();
      return acquireJob(db, workerId, active);
    },
  });
  return opened.use(worker);
}

/** A handler that works until its signal aborts, and the name of the reason. */
function openPatientHandler() {
  const begun = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<string>();
  const handler: JobHandler = (_job, _log, signal) => {
    begun.resolve();
    return new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => {
        aborted.resolve(String(signal.reason?.name));
        reject(signal.reason);
      });
    });
  };
  return { handler, begun: begun.promise, aborted: aborted.promise };
}

const stateOf = async (jobId: string) => (await readJob(database.db, jobId)).status;

describe("a job that another worker has taken", () => {
  async function takeAway(jobId: string): Promise<void> {
    await database.db
      .updateTable("jobs")
      .set({ worker_id: randomUUID(), attempt: sql`attempt + 1` })
      .where("id", "=", jobId)
      .execute();
  }

  it("is given up when its lease cannot be renewed", async () => {
    const { handler, begun, aborted } = openPatientHandler();
    const jobId = await addJob();
    openWorker({ clock: hasty }, handler);
    await begun;
    await takeAway(jobId);
    const notYet = Promise.resolve("not yet");
    await expect.poll(() => Promise.race([aborted, notYet]), patience).toBe("JobLost");
  });

  it("is not ended by the worker that lost it, nor anything written with its end", async () => {
    const [lost, next] = [await addJob(), await addJob()];
    const committed: string[] = [];
    openWorker({ clock: neverAgain, maxJobs: 1 }, async ({ id }) => {
      if (id === lost) await takeAway(lost);
      return { ...done, commit: async () => void committed.push(id) };
    });
    await expect.poll(() => stateOf(next), patience).toBe("succeeded");
    expect(await stateOf(lost)).toBe("running");
    expect(committed).toEqual([next]);
  });
});

it("renews its leases while the pool has no connection free", async () => {
  const pool = openDatabase({ url: database.url }, silentLogger, { max: 2 });
  opened.defer(() => pool.destroy());
  const { handler, begun } = openPatientHandler();
  const jobId = await addJob();
  openWorker({ clock: hasty, db: pool }, handler);
  await begun;
  await using _ = await fillPool(pool, 2);
  const readLease = async () => {
    const { rows } = await sql<{ readonly lease_until: string }>`
      select lease_until from jobs where id = ${jobId}`.execute(database.db);
    return rows[0]?.lease_until;
  };
  // The first may have been on its way already.
  for (let renewals = 0; renewals < 2; renewals += 1) {
    const before = await readLease();
    await expect.poll(readLease, patience).not.toBe(before);
  }
});

it("keeps its other jobs while a transaction holds one of them", async () => {
  const ids = [await addJob(), await addJob()];
  const [locked = "", free = ""] = ids;
  const reasons = new Map<string, string>();
  const begun = new Set<string>();
  openWorker({ clock: hasty }, ({ id }, _log, signal) => {
    begun.add(id);
    return new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => {
        reasons.set(id, String(signal.reason?.name));
        reject(signal.reason);
      });
    });
  });
  await expect.poll(() => begun.size, patience).toBe(2);
  await using _ = await holdOpen(database.db, (trx) =>
    sql`select from jobs where id = ${locked} for update`.execute(trx),
  );
  const readLease = async () => {
    const { rows } = await sql<{ readonly lease_until: string }>`
      select lease_until from jobs where id = ${free}`.execute(database.db);
    return rows[0]?.lease_until;
  };
  // The first may have been on its way already.
  for (let renewals = 0; renewals < 3; renewals += 1) {
    const before = await readLease();
    await expect.poll(readLease, patience).not.toBe(before);
  }
  expect([...reasons]).toEqual([]);
});

it("renews the lease of a job that was locked a second later, not after the usual time", async () => {
  const interval = Promise.withResolvers<void>();
  let intervals = 0;
  const clock: Clock = {
    ...neverAgain,
    sleep: (ms, signal) => {
      if (ms !== usualLease.lastsMs / 3) return neverAgain.sleep(ms, signal);
      intervals += 1;
      return intervals === 1 ? interval.promise : neverAgain.sleep(ms, signal);
    },
  };
  const [locked, free] = [await addJob(), await addJob()];
  openWorker({ clock }, openPatientHandler().handler);
  const areRunning = async () => [await stateOf(locked), await stateOf(free)];
  await expect.poll(areRunning, patience).toEqual(["running", "running"]);
  const past = "2020-01-01T00:00:00Z";
  await database.db.updateTable("jobs").set({ lease_until: past }).execute();
  const areLeased = async () => {
    const { rows } = await sql<{ readonly id: string }>`
      select id from jobs where lease_until > now() order by created_at`.execute(database.db);
    return rows.map(({ id }) => id);
  };
  const holding = await holdOpen(database.db, (trx) =>
    sql`select from jobs where id = ${locked} for update`.execute(trx),
  );
  interval.resolve();
  await expect.poll(areLeased, patience).toEqual([free]);
  await holding.commit();
  await expect.poll(areLeased, patience).toEqual([locked, free]);
});

it("renews its leases at once when the wall clock has moved on without it, and keeps its jobs", async () => {
  let aheadMs = 0;
  const clock = { ...neverAgain, now: () => systemClock.now() + aheadMs };
  const { handler, begun } = openPatientHandler();
  const jobId = await addJob();
  openWorker({ clock }, handler);
  await begun;
  const past = "2020-01-01T00:00:00Z";
  await database.db.updateTable("jobs").set({ lease_until: past }).execute();
  aheadMs = 3_600_000;
  const isLeased = async () => {
    const { rows } = await sql`
      select from jobs where id = ${jobId} and lease_until > now()`.execute(database.db);
    return rows.length === 1;
  };
  await expect.poll(isLeased, patience).toBe(true);
  expect(await stateOf(jobId)).toBe("running");
});

it("hears of a cancellation whose hint was lost when it renews the lease", async () => {
  const { handler, begun, aborted } = openPatientHandler();
  const jobId = await addJob();
  openWorker({ clock: hasty, isDeaf: true }, handler);
  await begun;
  await database.db
    .updateTable("jobs")
    .set({ canceled_at: sql`now()` })
    .execute();
  await expect.poll(() => stateOf(jobId), patience).toBe("canceled");
  expect(await aborted).toBe("JobCanceled");
});

it("takes a job that did not fit in when another ends, without waiting for its periodic look", async () => {
  const ids = [await addJob(), await addJob(), await addJob()];
  openWorker({ clock: neverAgain, maxJobs: 1 }, async () => done);
  await expect
    .poll(() => Promise.all(ids.map(stateOf)), patience)
    .toEqual(ids.map(() => "succeeded"));
});

it("carries out a job that was on its way when it began to drain, and takes no other", async () => {
  const jobs = [await addJob(), await addJob()];
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const onAcquire = vi.fn(() => {
    asked.resolve();
    return answer.promise;
  });
  const worker = openWorker({ clock: neverAgain, onAcquire }, async () => done);
  await asked.promise;
  const drained = worker.drain(AbortSignal.timeout(patience.timeout));
  answer.resolve();
  await drained;
  expect(await Promise.all(jobs.map(stateOf))).toEqual(["succeeded", "pending"]);
  expect(onAcquire).toHaveBeenCalledTimes(1);
});
