import { randomUUID } from "node:crypto";

import { openTestDatabase } from "@slipway/testkit";
import { sql } from "kysely";
import { expect, inject, it } from "vitest";

import { seedAgent, seedBuild, seedWorkspace, setJob } from "./support/rows.ts";

/*
 * Constraints that hold for every statement, however it is written and whatever concurrent statements do
 * (docs/claims.md).
 */

it("gives each build of a workspace a number of its own", async () => {
  await using database = await openTestDatabase(inject("postgresUrl"));
  const { db } = database;
  const place = await seedWorkspace(db);
  const build = { number: 1, transition: "start", job: "succeeded" } as const;
  await seedBuild(db, place, build);
  await expect(seedBuild(db, place, build)).rejects.toMatchObject({ code: "23505" });
  await seedBuild(db, place, { ...build, number: 2 });
});

it("has at most one open job of a workspace", async () => {
  await using database = await openTestDatabase(inject("postgresUrl"));
  const { db } = database;
  const place = await seedWorkspace(db);
  const build = { transition: "start", job: "running" } as const;
  const { jobId } = await seedBuild(db, place, { ...build, number: 1 });
  await expect(seedBuild(db, place, { ...build, number: 2 })).rejects.toMatchObject({
    code: "23505",
    constraint: "jobs_one_running_per_workspace",
  });
  await setJob(db, jobId, "failed");
  await seedBuild(db, place, { ...build, number: 2 });
});

it("lets a token be that of one agent at a time", async () => {
  await using database = await openTestDatabase(inject("postgresUrl"));
  const { db } = database;
  const place = await seedWorkspace(db);
  const one = { number: 1, transition: "start", job: "succeeded" } as const;
  const first = await seedBuild(db, place, one);
  const second = await seedBuild(db, place, { ...one, number: 2 });
  const token = randomUUID();
  const agentId = await seedAgent(db, first, token);
  await expect(seedAgent(db, second, token)).rejects.toMatchObject({
    code: "23505",
    constraint: "workspace_agents_token",
  });
  await sql`update workspace_agents set deleted = true where id = ${agentId}`.execute(db);
  await seedAgent(db, second, token);
});
