import { randomUUID } from "node:crypto";

import { openTestDatabase, type TestDatabase } from "@slipway/testkit";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, inject, it } from "vitest";

import {
  createLogSource,
  ensureExternalSource,
  selectSourceNames,
} from "../src/features/agents/logs/log-sources.ts";
import { seedAgent, type SeededBuild, seedBuild, seedWorkspace } from "./support/rows.ts";

const maxSources = 128;

let database: TestDatabase;
let build: SeededBuild;
let agentId: string;

beforeEach(async () => {
  database = await openTestDatabase(inject("postgresUrl"));
  const place = await seedWorkspace(database.db);
  build = await seedBuild(database.db, place, { number: 1, transition: "start", job: "succeeded" });
  agentId = await seedAgent(database.db, build);
});

afterEach(() => database[Symbol.asyncDispose]());

async function add(count = 1, toAgent = agentId): Promise<void> {
  const source = () => ({ id: randomUUID(), displayName: "Added", icon: "" });
  for (let added = 0; added < count; added += 1) {
    await createLogSource(database.db, toAgent, source());
  }
}

async function names(): Promise<readonly string[]> {
  return [...(await selectSourceNames(database.db, agentId)).values()].toSorted();
}

it("has as many log sources as its programs may add, and the external one", async () => {
  await add(maxSources + 1);
  expect(await names()).toHaveLength(maxSources);
  await ensureExternalSource(database.db, agentId);
  expect((await names()).at(-1)).toBe("External");
});

it("has room whatever others have", async () => {
  await sql`update workspace_agents set name = 'other'`.execute(database.db);
  const other = agentId;
  agentId = await seedAgent(database.db, build);
  await add(maxSources, other);
  await add();
  expect(await names()).toEqual(["Added"]);
});

it("gets no log source once it has ended", async () => {
  await sql`update workspaces set deleted = true`.execute(database.db);
  await add();
  await ensureExternalSource(database.db, agentId);
  expect(await names()).toEqual([]);
});
