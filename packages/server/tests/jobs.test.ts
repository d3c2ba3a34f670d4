import { randomUUID } from "node:crypto";

import { silentLogger, systemClock } from "@slipway/runtime";
import { openTestDatabase, type TestDatabase } from "@slipway/testkit";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, inject, it, onTestFinished } from "vitest";

import { connectionOptions } from "../src/platform/db/database.ts";
import { violatesUnique } from "../src/platform/db/errors.ts";
import { HeartbeatConnection } from "../src/platform/db/heartbeat-connection.ts";
import { inTransaction } from "../src/platform/db/transaction.ts";
import { acquireJob } from "../src/platform/jobs/acquire-query.ts";
import { JobLease, JobLost } from "../src/platform/jobs/job-lease.ts";
import { readJobLogs } from "../src/platform/jobs/log-stream.ts";
import { completeJob, type InsertJob, renewLeases } from "../src/platform/jobs/queries.ts";
import { insertJob } from "../src/platform/jobs/queries.ts";
import { readJob } from "../src/platform/jobs/service.ts";
import { type JobHandler, JobWorker } from "../src/platform/jobs/worker.ts";
import { PostgresPubSub } from "../src/platform/pubsub/postgres-pubsub.ts";
import { topics } from "../src/platform/pubsub/pubsub.ts";
import { watch } from "../src/platform/pubsub/watch.ts";
import { type SeededWorkspace, seedWorkspace } from "./support/rows.ts";

let database: TestDatabase;
let place: SeededWorkspace;

beforeEach(async () => {
  database = await openTestDatabase(inject("postgresUrl"));
  place = await seedWorkspace(database.db);
});

afterEach(() => database[Symbol.asyncDispose]());

function addJob(more: Partial<InsertJob> = {}): Promise<string> {
  const { organizationId, userId: initiatorId, fileId } = place;
  const type = "template_version_import";
  return insertJob(database.db, { type, organizationId, initiatorId, fileId, ...more });
}

/** Acquires jobs until none is left. */
async function takeAll(workerId: string): Promise<string[]> {
  const taken: string[] = [];
  for (;;) {
    const job = await acquireJob(database.db, workerId, taken);
    if (job === undefined) return taken;
    taken.push(job.id);
  }
}

async function endLeases(): Promise<void> {
  await database.db
    .updateTable("jobs")
    .set({ lease_until: sql`now() - interval '1 second'` })
    .execute();
}

it("gives each job to exactly one of 4 workers", async () => {
  const ids = await Promise.all(Array.from({ length: 40 }, () => addJob()));
  const taken = await Promise.all(Array.from({ length: 4 }, () => takeAll(randomUUID())));
  expect(taken.flat()).toHaveLength(ids.length);
  expect(new Set(taken.flat())).toEqual(new Set(ids));
});

it("gives out the oldest first, and notes its start and its worker", async () => {
  const [first, second] = [await addJob(), await addJob()];
  const workerId = randomUUID();
  expect(await takeAll(workerId)).toEqual([first, second]);
  expect(await readJob(database.db, first)).toMatchObject({
    status: "running",
    worker_id: workerId,
  });
});

it("gives a job whose lease ran out to another worker, and its first worker no say in it", async () => {
  const jobId = await addJob();
  const [first, second] = [randomUUID(), randomUUID()];
  expect(await takeAll(first)).toEqual([jobId]);
  expect(await takeAll(second)).toEqual([]);
  const renewal = { jobId, workerId: first, attempt: 1, seconds: 30 };
  expect([...(await renewLeases(database.db, [renewal])).keys()]).toEqual([jobId]);
  await endLeases();
  expect(await takeAll(second)).toEqual([jobId]);
  expect((await renewLeases(database.db, [renewal])).size).toBe(0);
  const end = { jobId, attempt: 2, error: undefined };
  expect(await completeJob(database.db, { ...end, workerId: first })).toBe(false);
  expect(await completeJob(database.db, { ...end, workerId: second })).toBe(true);
  expect(await completeJob(database.db, { ...end, workerId: second })).toBe(false);
  expect(await readJob(database.db, jobId)).toMatchObject({ status: "succeeded" });
  await endLeases();
  expect(await takeAll(first)).toEqual([]);
});

it("keeps the start of a job that another worker takes over", async () => {
  const jobId = await addJob();
  expect(await takeAll(randomUUID())).toEqual([jobId]);
  const started_at = "2020-01-02T03:04:05Z";
  await database.db.updateTable("jobs").set({ started_at }).execute();
  await endLeases();
  expect(await takeAll(randomUUID())).toEqual([jobId]);
  expect(await readJob(database.db, jobId)).toMatchObject({ started_at });
});

it("gives no worker a job again that it is at, though it could not renew the lease", async () => {
  const jobId = await addJob();
  const workerId = randomUUID();
  expect(await takeAll(workerId)).toEqual([jobId]);
  await endLeases();
  expect(await acquireJob(database.db, workerId, [jobId])).toBeUndefined();
  expect(await acquireJob(database.db, randomUUID(), [])).toMatchObject({ id: jobId });
});

it("gives a worker at once the job that it held in an earlier life", async () => {
  const jobId = await addJob();
  const workerId = randomUUID();
  expect((await acquireJob(database.db, workerId, []))?.id).toBe(jobId);
  expect(await acquireJob(database.db, workerId, [jobId])).toBeUndefined();
  expect((await acquireJob(database.db, workerId, []))?.id).toBe(jobId);
});

it("gives an earlier life of the worker no say in the job", async () => {
  const jobId = await addJob();
  const workerId = randomUUID();
  const first = await acquireJob(database.db, workerId, []);
  const second = await acquireJob(database.db, workerId, []);
  expect([first?.attempt, second?.attempt]).toEqual([1, 2]);
  const earlier = { jobId, workerId, attempt: 1 };
  expect((await renewLeases(database.db, [{ ...earlier, seconds: 30 }])).size).toBe(0);
  expect(await completeJob(database.db, { ...earlier, error: undefined })).toBe(false);
  expect(await completeJob(database.db, { ...earlier, attempt: 2, error: undefined })).toBe(true);
});

it("gives a job to no other worker while its lease is held for longer", async () => {
  const jobId = await addJob();
  const workerId = randomUUID();
  await acquireJob(database.db, workerId, []);
  const holder = { jobId, workerId, attempt: 1 };
  const lease = new JobLease({ db: database.db, clock: systemClock }, holder);
  const ofLease = async (): Promise<number> => {
    const { rows } = await sql<{ readonly rest: number }>`
      select extract(epoch from lease_until - now())::float as rest from jobs
        where id = ${jobId}`.execute(database.db);
    return rows[0]?.rest ?? 0;
  };
  {
    await using _ = await lease.hold({ lastsMs: 480_000, patienceMs: 120_000 });
    expect(lease.seconds).toBe(480);
    expect(await ofLease()).toBeGreaterThan(400);
  }
  expect(await ofLease()).toBeLessThanOrEqual(30);
  await acquireJob(database.db, workerId, []);
  await expect(lease.hold({ lastsMs: 1000, patienceMs: 1000 })).rejects.toBeInstanceOf(JobLost);
});

it("keeps a job for the only worker that can do it", async () => {
  const onlyWorkerId = randomUUID();
  const jobId = await addJob({ onlyWorkerId });
  expect(await takeAll(randomUUID())).toEqual([]);
  expect(await takeAll(onlyWorkerId)).toEqual([jobId]);
  await endLeases();
  expect(await takeAll(randomUUID())).toEqual([]);
});

it("has one open job a workspace at most", async () => {
  const { workspaceId } = place;
  const workerId = randomUUID();
  const more = { type: "workspace_build", workspaceId } as const;
  const attempts = await Promise.allSettled(Array.from({ length: 5 }, () => addJob(more)));
  const failures = attempts.flatMap((attempt) => ("reason" in attempt ? [attempt.reason] : []));
  expect(failures).toHaveLength(4);
  expect(failures.every((error) => violatesUnique(error, "jobs_one_running_per_workspace"))).toBe(
    true,
  );
  const [jobId = ""] = await takeAll(workerId);
  await completeJob(database.db, { jobId, workerId, attempt: 1, error: "broken" });
  await addJob(more);
});

/** Opens a worker like that of a separate server. */
function openWorker(handler: JobHandler): JobWorker {
  const { db, url } = database;
  const replicaId = randomUUID();
  const common = { db, clock: systemClock, logger: silentLogger };
  const connection = connectionOptions({ url });
  const pubsub = new PostgresPubSub({ ...common, connection, replicaId });
  const heartbeats = new HeartbeatConnection({ ...common, address: { url } });
  const worker = new JobWorker({
    ...common,
    heartbeats,
    pubsub,
    workerId: replicaId,
    endedJobs: { inc: () => undefined },
    handlers: { template_version_import: handler },
  });
  onTestFinished(async () => {
    await worker[Symbol.asyncDispose]();
    await heartbeats[Symbol.asyncDispose]();
    await pubsub[Symbol.asyncDispose]();
  });
  return worker;
}

/** Opens another replica that publishes and waits for jobs to end. */
function openObserver() {
  const { db, url } = database;
  const pubsub = new PostgresPubSub({
    db,
    connection: connectionOptions({ url }),
    replicaId: randomUUID(),
    clock: systemClock,
    logger: silentLogger,
  });
  onTestFinished(() => pubsub[Symbol.asyncDispose]());
  const ended = async (jobId: string): Promise<void> => {
    const looks = watch({
      pubsub,
      topics: [topics.job(jobId)],
      maxWaitMs: 5000,
      clock: systemClock,
      signal: AbortSignal.timeout(30_000),
    });
    for await (const _ of looks) {
      if ((await readJob(db, jobId)).completed_at !== undefined) return;
    }
  };
  return { pubsub, ended };
}

it("carries each job out once, with two workers that hear of it", async () => {
  const handled: string[] = [];
  const handler: JobHandler = async (job, log) => {
    handled.push(job.id);
    log.stage("Working");
    log.write("info", `at ${job.id}`);
    return { error: undefined, commit: async () => {}, topics: [] };
  };
  openWorker(handler);
  openWorker(handler);
  const { pubsub, ended } = openObserver();
  const ids = await Promise.all(Array.from({ length: 20 }, () => addJob()));
  pubsub.publish(topics.jobQueue);
  await Promise.all(ids.map(ended));
  expect(handled.toSorted((a, b) => a.localeCompare(b))).toEqual(
    ids.toSorted((a, b) => a.localeCompare(b)),
  );
  const [id = ""] = ids;
  expect(await readJobLogs(database.db, id, { after: 0, before: undefined })).toMatchObject([
    { log_source: "provisioner_daemon", stage: "Working", output: "" },
    { log_source: "provisioner", stage: "Working", output: `at ${id}`, log_level: "info" },
  ]);
});

it("fails a job with what its handler throws, and one that it has no handler for", async () => {
  openWorker(() => Promise.reject(new Error("cannot", { cause: new Error("because") })));
  const { pubsub, ended } = openObserver();
  const broken = await addJob();
  const unknown = await addJob({ type: "template_version_dry_run" });
  pubsub.publish(topics.jobQueue);
  await Promise.all([broken, unknown].map(ended));
  const error = "cannot: because";
  expect(await readJob(database.db, broken)).toMatchObject({ status: "failed", error });
  expect(await readJobLogs(database.db, broken, { after: 0, before: undefined })).toMatchObject([
    { log_level: "error", output: error },
  ]);
  expect(await readJob(database.db, unknown)).toMatchObject({
    status: "failed",
    error: "jobs of type template_version_dry_run are not supported",
  });
});

it("writes what belongs to the end of a job together with it, or not at all", async () => {
  const { db } = database;
  let attempts = 0;
  openWorker(async (job) => ({
    error: undefined,
    topics: [],
    commit: async (trx) => {
      await trx.insertInto("deployment").values({ key: "once", value: job.id }).execute();
      // The first attempt fails after its last statement.
      if (attempts++ === 0) throw new Error("the connection broke");
    },
  }));
  const { pubsub, ended } = openObserver();
  const jobId = await addJob();
  pubsub.publish(topics.jobQueue);
  await ended(jobId);
  expect(attempts).toBe(2);
  expect(await db.selectFrom("deployment").where("key", "=", "once").selectAll().execute()).toEqual(
    [{ key: "once", value: jobId }],
  );
});

it("leaves a job under way to another worker when its own ends", async () => {
  const begun = Promise.withResolvers<void>();
  const first = openWorker((_job, _log, signal) => {
    begun.resolve();
    return new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  });
  const { pubsub, ended } = openObserver();
  const jobId = await addJob();
  pubsub.publish(topics.jobQueue);
  await begun.promise;
  await first[Symbol.asyncDispose]();
  expect(await readJob(database.db, jobId)).toMatchObject({ status: "running" });
  await inTransaction(database.db, (trx) =>
    trx
      .updateTable("jobs")
      .set({ lease_until: sql`now() - interval '1 second'` })
      .execute(),
  );
  openWorker(async () => ({ error: undefined, commit: async () => {}, topics: [] }));
  await ended(jobId);
  expect(await readJob(database.db, jobId)).toMatchObject({ status: "succeeded" });
});
