import { randomUUID } from "node:crypto";

import { DriverError, type DriverLog, type StageTiming } from "@slipway/drivers";
import { systemClock } from "@slipway/runtime";
import { ClaimStage, ManualDriver, openTestDatabase } from "@slipway/testkit";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { buildHandler } from "../src/features/builds/build-job.ts";
import { selectBuild } from "../src/features/builds/queries.ts";
import { readTimings } from "../src/features/builds/read-service.ts";
import { WorkspaceTurns } from "../src/features/builds/workspace-turns.ts";
import type { Database } from "../src/platform/db/database.ts";
import type { UserCaller } from "../src/platform/http/caller.ts";
import { acquireJob } from "../src/platform/jobs/acquire-query.ts";
import { JobLease } from "../src/platform/jobs/job-lease.ts";
import { JobLogWriter } from "../src/platform/jobs/job-log-writer.ts";
import { endJob } from "../src/platform/jobs/job-outcome.ts";

/* Builds of a driver that measures its stages. */

const opened = new AsyncDisposableStack();
let db: Database;
let stage: ClaimStage;
let ann: UserCaller;

beforeAll(async () => {
  db = opened.use(await openTestDatabase(inject("postgresUrl"))).db;
  stage = await ClaimStage.open(db, {
    driver: "external",
    agentNames: ["main"],
    pool: { instances: 0, expireAfterSeconds: 0 },
  });
  ann = await stage.addUser("ann");
});
afterAll(() => opened.disposeAsync());

interface CarriedOut {
  readonly jobId: string;
  /** What clients read of the build. */
  readonly timings: Awaited<ReturnType<typeof readTimings>>["provisioner_timings"];
  /** The observations of the metric. */
  readonly observed: readonly object[];
  readonly hasEnded: boolean;
}

/** Carries out the first build of a new workspace. `attempt` is that with which it is ended. */
async function carryOut(
  name: string,
  start: (log: DriverLog) => void,
  attempt?: number,
): Promise<CarriedOut> {
  await stage.create(ann, { name });
  const workerId = randomUUID();
  const job = await acquireJob(db, workerId, []);
  if (job === undefined) throw new Error("no job waits");
  const driver = Object.assign(new ManualDriver("external"), {
    start: async (_build: unknown, log: DriverLog) => {
      start(log);
      return { state: undefined, resources: [] };
    },
  });
  const observed: object[] = [];
  const handle = buildHandler({
    db,
    secrets: stage.needs.secrets,
    drivers: new Map([[driver.name, driver]]),
    accessUrl: "",
    unpackDir: "",
    turns: new WorkspaceTurns(),
    clock: systemClock,
    stageSeconds: { observe: (labels, seconds) => void observed.push({ ...labels, seconds }) },
  });
  const log = new JobLogWriter(db, stage.needs.pubsub, job.id);
  const holder = { jobId: job.id, workerId, attempt: attempt ?? job.attempt };
  const lease = new JobLease({ db, clock: systemClock }, holder);
  const outcome = await handle(job, log, new AbortController().signal, lease);
  await log.flush();
  const hasEnded = await endJob(db, holder, outcome);
  const { id } = await db
    .selectFrom("workspace_builds")
    .where("job_id", "=", job.id)
    .select("id")
    .executeTakeFirstOrThrow();
  const row = await selectBuild(db, id);
  if (row === undefined) throw new Error("the build is gone");
  const { provisioner_timings: timings } = await readTimings(db, row);
  return { jobId: job.id, timings, observed, hasEnded };
}

function stageOf(fields: Partial<StageTiming>): StageTiming {
  const endedMs = systemClock.now();
  return {
    stage: "apply",
    hasFailed: false,
    startedMs: endedMs - 4_000,
    endedMs,
    steps: [],
    ...fields,
  };
}

function lengthOf(timing: { readonly started_at: string; readonly ended_at: string }): number {
  return Date.parse(timing.ended_at) - Date.parse(timing.started_at);
}

it("tells its stages and steps in the server's time, whatever the driver's clock says", async () => {
  const { timings, observed } = await carryOut("skewed", (log) => {
    const endedMs = systemClock.now() + 3_600_000;
    const step = { source: "docker", action: "create", resource: "docker_container.one" };
    const times = { startedMs: endedMs - 3_000, endedMs: endedMs - 1_000 };
    const steps = [{ ...step, ...times }];
    log.measured?.(stageOf({ stage: "plan", startedMs: endedMs - 500, endedMs }));
    log.measured?.(stageOf({ startedMs: endedMs - 4_000, endedMs, steps }));
  });
  expect(timings).toMatchObject([
    { stage: "plan", source: "coder", action: "terraform", resource: "coder_stage_plan" },
    { stage: "apply", source: "coder", action: "terraform", resource: "coder_stage_apply" },
    { stage: "apply", source: "docker", action: "create", resource: "docker_container.one" },
  ]);
  expect(timings.map(lengthOf)).toEqual([500, 4_000, 2_000]);
  const [, apply, step] = timings;
  expect(Date.parse(step?.started_at ?? "") - Date.parse(apply?.started_at ?? "")).toBe(1_000);
  expect(Math.abs(Date.parse(apply?.ended_at ?? "") - Date.now())).toBeLessThan(60_000);
  expect(observed).toEqual([
    { type: "workspace_build", stage: "plan", outcome: "succeeded", seconds: 0.5 },
    { type: "workspace_build", stage: "apply", outcome: "succeeded", seconds: 4 },
  ]);
});

it("tells them also when it fails, with names that are cut off anywhere", async () => {
  const { timings, observed } = await carryOut("failing", (log) => {
    const endedMs = systemClock.now();
    const step = { source: "a\0b", action: "cut \ud83d", resource: "\udca9", startedMs: endedMs };
    log.measured?.(stageOf({ hasFailed: true, steps: [{ ...step, endedMs }] }));
    throw new DriverError("run-failed", "no room");
  });
  expect(timings).toMatchObject([
    { resource: "coder_stage_apply" },
    { source: "ab", action: "cut \ufffd", resource: "\ufffd" },
  ]);
  expect(observed).toMatchObject([{ outcome: "failed" }]);
});

it("keeps its longest steps when there are too many", async () => {
  const { timings } = await carryOut("large", (log) => {
    const endedMs = systemClock.now();
    const steps = Array.from({ length: 400 }, (_, index) => ({
      source: "docker",
      action: "create",
      resource: `docker_container.one[${index}]`,
      startedMs: endedMs - index,
      endedMs,
    }));
    for (let index = 0; index < 40; index += 1) log.measured?.(stageOf({ steps }));
  });
  const stages = timings.filter(({ resource }) => resource === "coder_stage_apply");
  expect(stages).toHaveLength(16);
  expect(timings).toHaveLength(516);
  const steps = timings.filter((timing) => !stages.includes(timing)).map(lengthOf);
  // The 31 longest steps of 16 stages, and a few of the next.
  expect(Math.min(...steps)).toBe(368);
});

it("stores nothing for an attempt that has lost its job, and removes its timings with the job", async () => {
  const measure = (log: DriverLog): void => log.measured?.(stageOf({}));
  const lost = await carryOut("lost", measure, 7);
  expect(lost).toMatchObject({ hasEnded: false, timings: [] });
  await endLost(lost.jobId);
  const kept = await carryOut("kept", measure);
  expect(await storedJobs()).toContain(kept.jobId);
  expect(await storedJobs()).not.toContain(lost.jobId);
  await db.deleteFrom("workspace_builds").where("job_id", "=", kept.jobId).execute();
  await db.deleteFrom("jobs").where("id", "=", kept.jobId).execute();
  expect(await storedJobs()).not.toContain(kept.jobId);
});

/** Ends a job so that the next one is the oldest. */
async function endLost(jobId: string): Promise<void> {
  await db
    .updateTable("jobs")
    .set({ completed_at: new Date().toISOString() })
    .where("id", "=", jobId)
    .execute();
}

async function storedJobs(): Promise<readonly string[]> {
  const rows = await db.selectFrom("job_timings").select("job_id").execute();
  return rows.map(({ job_id: id }) => id);
}
