import { randomUUID } from "node:crypto";

import { systemClock } from "@slipway/runtime";
import { acquire, ClaimStage, fillPool, ManualDriver, openTestDatabase } from "@slipway/testkit";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";

import { buildHandler } from "../src/features/builds/build-job.ts";
import { cancelBuild } from "../src/features/builds/cancel-service.ts";
import { selectBuild } from "../src/features/builds/queries.ts";
import { WorkspaceTurns } from "../src/features/builds/workspace-turns.ts";
import type { Database } from "../src/platform/db/database.ts";
import type { UserCaller } from "../src/platform/http/caller.ts";
import { acquireJob } from "../src/platform/jobs/acquire-query.ts";
import { JobLease } from "../src/platform/jobs/job-lease.ts";
import { JobLogWriter } from "../src/platform/jobs/job-log-writer.ts";
import { endJob } from "../src/platform/jobs/job-outcome.ts";
import { completeJob, renewLeases } from "../src/platform/jobs/queries.ts";
import { topics } from "../src/platform/pubsub/pubsub.ts";

/* Jobs: the subscribers to their ends, and the effects of a second worker, renewal or cancellation. */

let opened: AsyncDisposableStack;
let db: Database;
let stage: ClaimStage;
let ann: UserCaller;
let hints: string[];

beforeEach(() => {
  opened = new AsyncDisposableStack();
  hints = [];
});

afterEach(() => opened.disposeAsync());

async function open(driver: "external" | "manual"): Promise<void> {
  const database = opened.use(await openTestDatabase(inject("postgresUrl")));
  ({ db } = database);
  stage = await ClaimStage.open(db, {
    driver,
    agentNames: ["main"],
    pool: { instances: 1, expireAfterSeconds: 0 },
  });
  ann = await stage.addUser("ann");
}

function pubsub() {
  return { ...stage.needs.pubsub, publish: (topic: string) => void hints.push(topic) };
}

/** Acquires the waiting job and runs it; resolves to the subscribers that are notified of its end. */
async function carryOut(how: "succeed" | "fail"): Promise<readonly string[]> {
  const workerId = randomUUID();
  const job = await acquireJob(db, workerId, []);
  if (job === undefined) throw new Error("no job waits");
  const driver = new ManualDriver(stage.needs.driver);
  driver.end(how);
  const drivers = new Map([[driver.name, driver]]);
  const { secrets } = stage.needs;
  const turns = new WorkspaceTurns();
  const measured = { clock: systemClock, stageSeconds: { observe: () => undefined } };
  const needs = { db, secrets, drivers, accessUrl: "", unpackDir: "", turns, ...measured };
  const handle = buildHandler(needs);
  const log = new JobLogWriter(db, stage.needs.pubsub, job.id);
  const holder = { jobId: job.id, workerId, attempt: job.attempt };
  const lease = new JobLease({ db, clock: systemClock }, holder);
  const outcome = await handle(job, log, new AbortController().signal, lease);
  await log.flush();
  expect(await endJob(db, holder, outcome)).toBe(true);
  return outcome.topics.toSorted();
}

function watchersOf(workspaceId: string): readonly string[] {
  return [topics.builds(workspaceId), topics.workspace(workspaceId)].toSorted();
}

describe("the end of a build", () => {
  it.each(["succeed", "fail"] as const)(
    "is told to watchers and agents when it comes to %s",
    async (how) => {
      await open("external");
      const { id } = await stage.create(ann, { name: "dev" });
      expect(await carryOut(how)).toEqual(watchersOf(id));
    },
  );

  it("is told to the processes too when it handed them over", async () => {
    await open("manual");
    await fillPool(stage);
    const { id } = await stage.create(ann, { name: "dev", presetId: stage.version.presetId });
    expect(await carryOut("succeed")).toEqual([...watchersOf(id), topics.claim(id)].toSorted());
  });

  it("leaves no agents of a start that failed, and all of a stop that did", async () => {
    await open("external");
    const live = () =>
      db
        .selectFrom("workspace_agents")
        .where("deleted", "=", false)
        .select("name")
        .execute()
        .then((agents) => agents.length);
    const { id } = await stage.create(ann, { name: "dev" });
    await carryOut("succeed");
    expect(await live()).toBe(1);
    await stage.build(ann, id, "stop");
    await carryOut("fail");
    expect(await live()).toBe(1);
    await stage.build(ann, id, "start");
    await carryOut("fail");
    const newest = await db
      .selectFrom("workspace_agents as agent")
      .innerJoin("workspace_builds as build", "build.id", "agent.workspace_build_id")
      .where("build.build_number", "=", 3)
      .where("agent.deleted", "=", false)
      .select("agent.id")
      .execute();
    expect(newest).toEqual([]);
  });
});

describe("a cancellation", () => {
  async function cancelOf(workspaceId: string) {
    const { id } = await db
      .selectFrom("workspace_builds")
      .where("workspace_id", "=", workspaceId)
      .select("id")
      .executeTakeFirstOrThrow();
    const row = await selectBuild(db, id);
    if (row === undefined) throw new Error("the build is gone");
    return { row, cancel: () => cancelBuild({ db, pubsub: pubsub() }, ann, row, undefined) };
  }

  const entries = () =>
    db
      .selectFrom("audit_log")
      .where("resource_type", "=", "workspace_build")
      .where("action", "=", "write")
      .select(["diff", "user_id"])
      .execute();

  it("ends what has not begun at once, and is refused a second time", async () => {
    await open("external");
    const { id } = await stage.create(ann, { name: "dev" });
    const { row, cancel } = await cancelOf(id);
    await cancel();
    expect(hints.toSorted()).toEqual(
      [...watchersOf(id), topics.job(row.job_id), topics.jobCancel(row.job_id)].toSorted(),
    );
    await expect(cancel()).rejects.toMatchObject({ code: "invalid" });
    expect(await entries()).toMatchObject([
      { user_id: ann.id, diff: { canceled: { old: false, new: true } } },
    ]);
    expect(await acquireJob(db, randomUUID(), [])).toBeUndefined();
  });

  it("marks what has begun once, for its worker, whatever it was asked before", async () => {
    await open("external");
    const { id } = await stage.create(ann, { name: "dev" });
    const work = await acquire(stage.needs);
    const { row, cancel } = await cancelOf(id);
    await cancel();
    await expect(cancel()).rejects.toMatchObject({ code: "invalid" });
    expect(await entries()).toHaveLength(1);
    const job = await db
      .selectFrom("jobs")
      .where("id", "=", row.job_id)
      .selectAll()
      .executeTakeFirstOrThrow();
    expect(job).toMatchObject({ completed_at: null, canceled_at: expect.any(String) });
    const workerId = work?.workerId ?? "";
    const renewal = { jobId: row.job_id, workerId, attempt: 1, seconds: 30 };
    const kept = await renewLeases(db, [renewal]);
    expect(kept.get(row.job_id)).toBe("canceled");
    expect(await work?.end("cancel")).toBe(true);
    expect(await renewLeases(db, [renewal])).toEqual(new Map());
  });
});

describe("a lease", () => {
  it("is longer after it was renewed, for as many jobs as are asked for and no other", async () => {
    await open("external");
    await stage.create(ann, { name: "one" });
    await stage.create(ann, { name: "two" });
    const workerId = randomUUID();
    const { id: first = "" } = (await acquireJob(db, workerId, [])) ?? {};
    const { id: second = "" } = (await acquireJob(db, workerId, [first])) ?? {};
    const past = "2020-01-01T00:00:00Z";
    await db
      .updateTable("jobs")
      .set({ lease_until: past })
      .where("completed_at", "is", null)
      .execute();
    const held = { workerId, attempt: 1, seconds: 30 };
    expect([...(await renewLeases(db, [{ ...held, jobId: first }])).keys()]).toEqual([first]);
    const other = randomUUID();
    expect(await acquireJob(db, other, [])).toMatchObject({ id: second });
    expect(await acquireJob(db, other, [second])).toBeUndefined();
    const lost = { ...held, jobId: second };
    expect(await renewLeases(db, [lost])).toEqual(new Map());
    expect(await completeJob(db, { ...lost, error: undefined })).toBe(false);
  });
});

describe("the log of a job", () => {
  it("is told of with each batch, in the order in which it was written", async () => {
    await open("external");
    await stage.create(ann, { name: "dev" });
    const job = await acquireJob(db, randomUUID(), []);
    const log = new JobLogWriter(db, pubsub(), job?.id ?? "");
    log.stage("One");
    log.write("info", "first");
    await log.flush();
    log.stage("Two");
    log.write("error", "second");
    await log.flush();
    const rows = await db
      .selectFrom("job_logs")
      .where("job_id", "=", job?.id ?? "")
      .orderBy("id")
      .select(["stage", "output", "log_level", "log_source"])
      .execute();
    expect(rows.map(({ stage: name, output }) => `${name}: ${output}`)).toEqual([
      "One: ",
      "One: first",
      "Two: ",
      "Two: second",
    ]);
    expect(new Set(hints)).toEqual(new Set([topics.job(job?.id ?? "")]));
    expect(hints.length).toBeGreaterThanOrEqual(2);
  });
});
