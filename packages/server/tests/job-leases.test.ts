import { randomUUID } from "node:crypto";

import { openTestDatabase, type TestDatabase } from "@slipway/testkit";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";

import { acquireJob } from "../src/platform/jobs/acquire-query.ts";
import { JobLease, JobLost, usualLease } from "../src/platform/jobs/job-lease.ts";
import {
  insertJob,
  insertJobLogs,
  type Renewal,
  renewLeases,
} from "../src/platform/jobs/queries.ts";
import { holdOpen, waitForBlocked } from "./support/lock-waits.ts";
import { seedWorkspace } from "./support/rows.ts";

/* Leases of jobs: by which clock they end, and what a transaction delays that holds a job. */

let database: TestDatabase;
let holder: Omit<Renewal, "seconds">;
let renewals: readonly Renewal[];

beforeEach(async () => {
  database = await openTestDatabase(inject("postgresUrl"));
  const { db } = database;
  const { organizationId, userId: initiatorId, fileId } = await seedWorkspace(db);
  const workerId = randomUUID();
  const taken: Renewal[] = [];
  for (let count = 0; count < 3; count += 1) {
    await insertJob(db, { type: "template_version_import", organizationId, initiatorId, fileId });
    const { id: jobId = "" } =
      (await acquireJob(
        db,
        workerId,
        taken.map((one) => one.jobId),
      )) ?? {};
    taken.push({ jobId, workerId, attempt: 1, seconds: 30 });
  }
  renewals = taken;
  holder = { jobId: taken[0]?.jobId ?? "", workerId, attempt: 1 };
  await sql`update jobs set lease_until = '2020-01-01'`.execute(db);
});

afterEach(() => database[Symbol.asyncDispose]());

/** Lists the jobs whose leases are in the future. */
async function leased(): Promise<readonly string[]> {
  const { rows } = await sql<{ readonly id: string }>`
    select id from jobs where lease_until > now() order by created_at`.execute(database.db);
  return rows.map(({ id }) => id);
}

describe("a renewal", () => {
  it("waits for no job that another transaction changes, and renews the others", async () => {
    const { db } = database;
    const [locked, ...others] = renewals.map(({ jobId }) => jobId);
    await using change = await holdOpen(db, (trx) =>
      sql`update jobs set canceled_at = now() where id = ${locked}`.execute(trx),
    );
    const results = await renewLeases(db, renewals);
    expect([...results]).toEqual(
      expect.arrayContaining([[locked, "locked"], ...others.map((id) => [id, "renewed"])]),
    );
    expect(await leased()).toEqual(others);
    await change.commit();
    expect((await renewLeases(db, renewals)).get(locked ?? "")).toBe("canceled");
    expect(await leased()).toHaveLength(3);
  });

  it("is hindered by no line of the log that is being written", async () => {
    const { db } = database;
    const line = { log_source: "provisioner", log_level: "info", stage: "", output: "" } as const;
    await using _ = await holdOpen(db, (trx) => insertJobLogs(trx, holder.jobId, [line]));
    expect((await renewLeases(db, renewals)).get(holder.jobId)).toBe("renewed");
  });

  it("leaves out a job that another worker has, and one that is over", async () => {
    const { db } = database;
    const [taken, ended, kept] = renewals.map(({ jobId }) => jobId);
    await sql`update jobs set attempt = 2 where id = ${taken}`.execute(db);
    await sql`update jobs set completed_at = now() where id = ${ended}`.execute(db);
    expect([...(await renewLeases(db, renewals))]).toEqual([[kept, "renewed"]]);
    expect(await leased()).toEqual([kept]);
  });
});

describe("a lease", () => {
  /** A lease on a machine whose clocks are set by the test. */
  function openLease() {
    const times = { wallMs: 1_000_000, monotonicMs: 50 };
    const clock = { now: () => times.wallMs, monotonic: () => times.monotonicMs };
    const lease = new JobLease({ db: database.db, clock }, holder);
    const pass = (ms: number): void => {
      times.wallMs += ms;
      times.monotonicMs += ms;
    };
    return { lease, times, pass };
  }

  it("is given up when it was not renewed in time, before another worker takes the job", () => {
    const { lease, times, pass } = openLease();
    pass(usualLease.patienceMs - 1);
    expect(lease.isLapsing).toBe(false);
    lease.noteRenewal({ wallMs: 1_000_001, monotonicMs: 51 });
    // A statement that was answered late changes nothing.
    lease.noteRenewal({ wallMs: 1_000_000, monotonicMs: 50 });
    pass(1);
    expect([lease.isLapsing, lease.isDoubtful]).toEqual([false, false]);
    pass(1);
    expect([lease.isLapsing, lease.isDoubtful]).toEqual([true, true]);
    lease.noteRenewal(times);
    expect([lease.isLapsing, lease.isDoubtful]).toEqual([false, false]);
    expect(usualLease.patienceMs).toBeLessThan(usualLease.lastsMs);
  });

  it("lasts no longer when the wall clock is set back, and no shorter when it is set ahead", () => {
    const { lease, times, pass } = openLease();
    times.wallMs -= 3_600_000;
    pass(usualLease.patienceMs - 1);
    expect(lease.isLapsing).toBe(false);
    pass(1);
    expect(lease.isLapsing).toBe(true);
    lease.noteRenewal({ ...times });
    times.wallMs += 3_600_000;
    // Unless the machine was suspended: a renewal shows it.
    expect([lease.isLapsing, lease.isDoubtful]).toEqual([false, true]);
  });

  it("that is held began no earlier than it says, whichever way the wall clock is set", async () => {
    const { lease, times, pass } = openLease();
    pass(10_000);
    await using hold = await lease.hold({ lastsMs: 480_000, patienceMs: 120_000 });
    expect(await leased()).toEqual([holder.jobId]);
    expect(hold.renewedAtMs()).toBe(1_010_000);
    pass(5_000);
    expect(hold.renewedAtMs()).toBe(1_010_000);
    times.wallMs += 60_000;
    expect(hold.renewedAtMs()).toBe(1_010_000);
    times.wallMs -= 160_000;
    expect(times.wallMs - hold.renewedAtMs()).toBe(5_000);
  });

  it("that is held waits for a transaction that changes its job, and ends with one that takes it", async () => {
    const { lease } = openLease();
    const { db } = database;
    const changing = await holdOpen(db, (trx) =>
      sql`update jobs set updated_at = now() where id = ${holder.jobId}`.execute(trx),
    );
    const holding = lease.hold({ lastsMs: 480_000, patienceMs: 120_000 });
    await waitForBlocked(db);
    await changing.commit();
    await using _ = await holding;
    expect(await leased()).toEqual([holder.jobId]);
    await sql`update jobs set attempt = 2 where id = ${holder.jobId}`.execute(db);
    await expect(lease.hold({ lastsMs: 1000, patienceMs: 1000 })).rejects.toBeInstanceOf(JobLost);
  });
});
