import { randomUUID } from "node:crypto";

import { maxCountedJobs } from "@slipway/api/jobs/job";
import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import { openTestDatabase, type TestDatabase } from "@slipway/testkit";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, inject, it } from "vitest";

import { readNewestBuild } from "../src/features/builds/read-service.ts";
import { acquireJob } from "../src/platform/jobs/acquire-query.ts";
import { type InsertJob, insertJob } from "../src/platform/jobs/queries.ts";
import { readJob, readJobs } from "../src/platform/jobs/service.ts";
import { seedBuild, seedWorkspace, type SeededWorkspace } from "./support/rows.ts";

/* The places of pending jobs in their queues. */

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

/** Returns the places of jobs as texts such as 1/3. */
async function placesOf(ids: readonly string[]): Promise<readonly string[]> {
  const jobs = await readJobs(database.db, ids);
  return ids.map((id) => {
    const job = jobs.get(id);
    return `${job?.queue_position}/${job?.queue_size}`;
  });
}

it("gives pending jobs their places in the order of their starts, and others none", async () => {
  const ofSystem = await addJob({ initiatorId: prebuildsUserId });
  const ids = [await addJob(), await addJob(), await addJob(), ofSystem];
  expect(await placesOf(ids)).toEqual(["1/4", "2/4", "3/4", "4/4"]);
  expect((await acquireJob(database.db, randomUUID(), []))?.id).toBe(ids[0]);
  await sql`update jobs set canceled_at = now(), completed_at = now() where id = ${ids[1]}`.execute(
    database.db,
  );
  expect(await placesOf(ids)).toEqual(["0/0", "0/0", "1/2", "2/2"]);
});

it("counts jobs that every worker of a job takes, too", async () => {
  const [one, other] = [randomUUID(), randomUUID()];
  const ids = [
    await addJob({ onlyWorkerId: one }),
    await addJob({ tags: { site: "x" } }),
    await addJob({ tags: { site: "x", gpu: "yes" } }),
    await addJob(),
    await addJob({ onlyWorkerId: other }),
    await addJob({ onlyWorkerId: one }),
    await addJob({ tags: { site: "x" } }),
  ];
  expect(await placesOf(ids)).toEqual(["1/3", "1/2", "2/3", "1/1", "2/2", "3/3", "2/2"]);
});

it("counts no tagged jobs of another organization, whose provisioners are others", async () => {
  const organizationId = randomUUID();
  await sql`insert into organizations (id, name) values (${organizationId}, 'other')`.execute(
    database.db,
  );
  const tags = { site: "x" };
  const ids = [
    await addJob({ tags, organizationId }),
    await addJob({ organizationId }),
    await addJob({ tags }),
    await addJob(),
  ];
  expect(await placesOf(ids)).toEqual(["1/1", "1/2", "1/1", "2/2"]);
});

it("counts only so many, and says the same of a build's job", async () => {
  const { jobId } = await seedBuild(database.db, place, {
    number: 1,
    transition: "start",
    job: "pending",
  });
  await sql`insert into jobs (type, organization_id, initiator_id, file_id, created_at)
    select type, organization_id, initiator_id, file_id, now() - day * interval '1 day'
      from jobs, generate_series(1, ${maxCountedJobs + 1}) day where id = ${jobId}`.execute(
    database.db,
  );
  const job = await readJob(database.db, jobId);
  const most = maxCountedJobs + 1;
  expect(job).toMatchObject({ queue_position: most, queue_size: most });
  const build = await readNewestBuild(database.db, place.workspaceId, Date.now());
  expect(build.job).toEqual(job);
});
