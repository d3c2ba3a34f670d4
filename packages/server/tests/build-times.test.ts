import { openTestDatabase, type TestDatabase } from "@slipway/testkit";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { selectTemplates } from "../src/features/templates/queries.ts";
import { type JobState, seedBuild, seedWorkspace, type SeededWorkspace } from "./support/rows.ts";

let database: TestDatabase;
let place: SeededWorkspace;
let number = 0;

beforeAll(async () => {
  database = await openTestDatabase(inject("postgresUrl"));
  place = await seedWorkspace(database.db);
});

afterAll(() => database[Symbol.asyncDispose]());

/** A build that took this many seconds, later than earlier builds. */
async function makeBuild(
  transition: "start" | "stop",
  seconds: number,
  job: JobState = "succeeded",
): Promise<void> {
  number += 1;
  const { jobId, buildId } = await seedBuild(database.db, place, { number, transition, job });
  const { db } = database;
  await sql`update jobs set completed_at = started_at + make_interval(secs => ${seconds})
    where id = ${jobId} and completed_at is not null`.execute(db);
  await sql`update workspace_builds set created_at = now() + make_interval(secs => ${number})
    where id = ${buildId}`.execute(db);
}

async function buildTimes(): Promise<unknown> {
  const [row] = await selectTemplates(database.db, {
    exactName: undefined,
    isDeprecated: undefined,
  });
  return row?.build_times;
}

it("tells how long the newest fifty successful builds of a version took", async () => {
  expect(await buildTimes()).toEqual({});
  // Too old to count.
  for (let build = 0; build < 10; build += 1) await makeBuild("start", 1_000);
  for (let build = 1; build <= 40; build += 1) await makeBuild("start", build);
  for (let build = 0; build < 10; build += 1) await makeBuild("stop", 7);
  await makeBuild("start", 5_000, "failed");
  await makeBuild("start", 0, "running");
  expect(await buildTimes()).toEqual({
    start: { P50: 20_000, P95: 38_000 },
    stop: { P50: 7_000, P95: 7_000 },
  });
});
