import { randomUUID } from "node:crypto";

import type { Transition } from "@slipway/api/builds/resource";
import { openTestDatabase, type TestDatabase } from "@slipway/testkit";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { lockAndCountUse } from "../src/features/builds/quota-service.ts";
import { buildStatus as buildStatusOf } from "../src/features/builds/read-service.ts";
import { buildStatus, isReplaced, newestBuild } from "../src/platform/jobs/build-sql.ts";
import { hasSucceeded, jobStatus } from "../src/platform/jobs/job-sql.ts";
import { jobStatus as jobStatusOf } from "../src/platform/jobs/service.ts";
import { seedBuild, type SeededWorkspace, seedWorkspace } from "./support/rows.ts";

let database: TestDatabase;
let place: SeededWorkspace;

beforeAll(async () => {
  database = await openTestDatabase(inject("postgresUrl"));
  place = await seedWorkspace(database.db);
});
afterAll(() => database[Symbol.asyncDispose]());

const times = [null, "2026-07-24T05:20:02Z"];
const jobs = times.flatMap((started_at) =>
  times.flatMap((canceled_at) =>
    times.flatMap((completed_at) =>
      [null, "broken"].map((error) => ({ started_at, canceled_at, completed_at, error })),
    ),
  ),
);
const transitions: readonly Transition[] = ["start", "stop", "delete"];
const states = jobs.flatMap((job) =>
  transitions.map((transition) => ({ job, transition, status: jobStatusOf(job) })),
);

describe("a state", () => {
  it("is one of all", () => {
    expect(new Set(states.map(({ status }) => status)).size).toBe(6);
    expect(states).toHaveLength(48);
  });

  it.each(states)("is the same in SQL: $transition $job", async ({ job, transition, status }) => {
    const { rows } = await sql`
      select ${jobStatus("j")} as job, ${hasSucceeded("j")} as succeeded, ${buildStatus("b", "j")} as build
        from (select ${job.started_at}::timestamptz as started_at, ${job.canceled_at}::timestamptz as canceled_at,
            ${job.completed_at}::timestamptz as completed_at, ${job.error}::text as error) j
          cross join (select ${transition}::text as transition) b`.execute(database.db);
    const build = buildStatusOf(status, transition);
    expect(rows).toEqual([{ job: status, succeeded: status === "succeeded", build }]);
  });

  it("counts against the quota of running workspaces, except for a successful stop", async () => {
    const { db } = database;
    const { jobId, buildId } = await seedBuild(db, place, {
      number: 1,
      transition: "start",
      job: "pending",
    });
    for (const { job, transition, status } of states) {
      await db.updateTable("jobs").set(job).where("id", "=", jobId).execute();
      const changed = db.updateTable("workspace_builds").set({ transition });
      await changed.where("id", "=", buildId).execute();
      const users = { ownerId: place.userId, initiatorId: place.userId };
      const isStopped = buildStatusOf(status, transition) === "stopped";
      expect(await lockAndCountUse(db, users, place.workspaceId)).toMatchObject({
        running: isStopped ? 0 : 1,
        is_running: !isStopped,
      });
    }
  });
});

describe("the newest build", () => {
  it("has the highest number, whichever was created last", async () => {
    const { db } = database;
    const ids = new Map<number, string>();
    for (const number of [4, 2, 3]) {
      const build = { number, transition: "start", job: "failed" } as const;
      ids.set(number, (await seedBuild(db, place, build)).buildId);
    }
    const newest = await db
      .selectFrom(newestBuild(sql.val(place.workspaceId)).as("newest"))
      .select(["newest.id", "newest.build_number"])
      .execute();
    expect(newest).toEqual([{ id: ids.get(4), build_number: 4 }]);
    const others = await db
      .selectFrom("workspace_builds as b")
      .where("b.workspace_id", "=", place.workspaceId)
      .where(isReplaced("b"))
      .orderBy("b.build_number")
      .select("b.build_number")
      .execute();
    expect(others.map(({ build_number: number }) => number)).toEqual([1, 2, 3]);
  });

  it("is none of a workspace without builds", async () => {
    const rows = await database.db
      .selectFrom(newestBuild(sql.val(randomUUID())).as("newest"))
      .select("newest.id")
      .execute();
    expect(rows).toEqual([]);
  });
});
