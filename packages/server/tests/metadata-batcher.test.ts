import { randomUUID } from "node:crypto";

import { silentLogger } from "@slipway/runtime";
import { createFakeClock, openTestDatabase, type TestDatabase } from "@slipway/testkit";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, inject, it } from "vitest";

import {
  maxKeysPerAgent,
  MetadataBatcher,
} from "../src/features/agents/metadata/metadata-batcher.ts";
import { readMetadata } from "../src/features/agents/metadata/metadata-routes.ts";
import { holdOpen, waitForBlocked } from "./support/lock-waits.ts";
import { seedAgent, seedBuild, seedWorkspace } from "./support/rows.ts";

let database: TestDatabase;
let agentId: string;

beforeEach(async () => {
  database = await openTestDatabase(inject("postgresUrl"));
  const place = await seedWorkspace(database.db);
  const build = { number: 1, transition: "start", job: "succeeded" } as const;
  agentId = await seedAgent(database.db, await seedBuild(database.db, place, build));
  await database.db
    .insertInto("workspace_agent_metadata")
    .values(
      ["a", "b"].map((key, position) => ({
        workspace_agent_id: agentId,
        key,
        position,
        display_name: key,
        script: "",
        interval_seconds: 10,
        timeout_seconds: 1,
      })),
    )
    .execute();
});

afterEach(() => database[Symbol.asyncDispose]());

function open(clock = createFakeClock()) {
  const published: string[] = [];
  const pubsub = {
    subscribe: () => ({ [Symbol.dispose]: () => undefined }),
    publish: (topic: string) => void published.push(topic),
  };
  const warnings: string[] = [];
  const logger = { ...silentLogger, warn: (_: object, text: string) => void warnings.push(text) };
  const batcher = new MetadataBatcher({ db: database.db, pubsub, clock, logger });
  return { batcher, clock, published, warnings };
}

async function values(now: number): Promise<readonly string[]> {
  return (await readMetadata(database.db, agentId, now)).map(({ result }) => result.value);
}

it("stores the newest of each key, and hints once an agent", async () => {
  const { batcher, clock, published } = open();
  batcher.put(agentId, [{ key: "a", value: "1", error: "" }]);
  batcher.put(agentId, [
    { key: "a", value: "2", error: "" },
    { key: "b", value: "3", error: "" },
    { key: "unknown", value: "4", error: "" },
  ]);
  const other = randomUUID();
  batcher.put(other, [{ key: "a", value: "5", error: "" }]);
  expect(await values(clock.now())).toEqual(["", ""]);
  await batcher[Symbol.asyncDispose]();
  expect(await values(clock.now())).toEqual(["2", "3"]);
  expect(published).toEqual([`agent-metadata:${agentId}`, `agent-metadata:${other}`]);
});

it("keeps what it could not store, but for keys with a newer value, and hints once it is stored", async () => {
  const { batcher, clock, published, warnings } = open();
  batcher.put(agentId, [
    { key: "a", value: "1", error: "" },
    { key: "b", value: "2", error: "" },
  ]);
  await using renamed = await holdOpen(database.db, (trx) =>
    sql`alter table workspace_agent_metadata rename to gone`.execute(trx),
  );
  await clock.advance(1_000);
  await waitForBlocked(database.db);
  batcher.put(agentId, [{ key: "a", value: "3", error: "" }]);
  await renamed.commit();
  await expect.poll(() => warnings).toEqual(["cannot store metadata, retrying"]);
  await sql`alter table gone rename to workspace_agent_metadata`.execute(database.db);
  expect(published).toEqual([]);
  await batcher[Symbol.asyncDispose]();
  expect(await values(clock.now())).toEqual(["3", "2"]);
  expect(published).toEqual([`agent-metadata:${agentId}`]);
});

it("holds the newest values of an agent, and lets it push out no other's", async () => {
  const { batcher, clock } = open();
  batcher.put(agentId, [{ key: "a", value: "1", error: "" }]);
  const other = randomUUID();
  for (let number = 0; number < 30_000; number += 1) {
    batcher.put(other, [{ key: `${number}`, value: "", error: "" }]);
  }
  const many = Array.from({ length: maxKeysPerAgent - 1 }, (_, number) => `${number}`);
  batcher.put(
    agentId,
    [...many, "b"].map((key) => ({ key, value: "2", error: "" })),
  );
  await batcher[Symbol.asyncDispose]();
  // This agent's own first key was evicted.
  expect(await values(clock.now())).toEqual(["", "2"]);
});

it("lets no agent push out the values of another", async () => {
  const { batcher, clock } = open();
  batcher.put(agentId, [{ key: "a", value: "1", error: "" }]);
  for (let number = 0; number < 30_000; number += 1) {
    batcher.put(randomUUID(), [{ key: "a", value: "", error: "" }]);
  }
  await batcher[Symbol.asyncDispose]();
  expect(await values(clock.now())).toEqual(["1", ""]);
});

it("says when a value was received, not when it was stored", async () => {
  const { batcher, clock } = open();
  batcher.put(agentId, [{ key: "a", value: "1", error: "" }]);
  await clock.advance(500);
  await batcher[Symbol.asyncDispose]();
  const [first] = await readMetadata(database.db, agentId, clock.now() + 3_500);
  expect(first?.result.age).toBe(4);
});

it("lets values of agents that are gone be", async () => {
  const { batcher, clock } = open();
  batcher.put(randomUUID(), [{ key: "a", value: "1", error: "" }]);
  await batcher[Symbol.asyncDispose]();
  expect(await values(clock.now())).toEqual(["", ""]);
});
