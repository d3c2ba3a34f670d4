import { randomUUID } from "node:crypto";

import { openTestDatabase } from "@slipway/testkit";
import { sql } from "kysely";
import { expect, inject, it } from "vitest";

import { markAllAlive } from "../src/features/agents/connections/connection-queries.ts";
import { updateMetadata } from "../src/features/agents/metadata/metadata-batcher.ts";
import type { Database, Queryable } from "../src/platform/db/database.ts";
import { seedAgent, seedBuild, seedWorkspace } from "./support/rows.ts";

const item = { key: "a", value: "1", error: "", receivedMs: 0 };

async function commitSetting(db: Queryable): Promise<string | undefined> {
  const { rows } = await sql<{ synchronous_commit: string }>`show synchronous_commit`.execute(db);
  return rows[0]?.synchronous_commit;
}

it.each([
  [
    "heartbeats",
    (db: Queryable, agentId: string) => markAllAlive(db, [{ agentId, connectionId: randomUUID() }]),
  ],
  ["metadata", (db: Queryable, agentId: string) => updateMetadata(db, [{ ...item, agentId }])],
])("%s do not wait for the disk", async (_, write) => {
  await using database = await openTestDatabase(inject("postgresUrl"));
  const { db } = database;
  const agentId = await seedMetadata(db);
  await db.transaction().execute(async (trx) => {
    await sql`set local synchronous_commit = on`.execute(trx);
    expect(await commitSetting(trx)).toBe("on");
    await write(trx, agentId);
    expect(await commitSetting(trx)).toBe("off");
  });
});

/** Adds an agent with a metadata item, and returns its id. */
async function seedMetadata(db: Database): Promise<string> {
  const place = await seedWorkspace(db);
  const build = { number: 1, transition: "start", job: "succeeded" } as const;
  const agentId = await seedAgent(db, await seedBuild(db, place, build));
  await sql`insert into workspace_agent_metadata
      (workspace_agent_id, key, position, display_name, script, interval_seconds, timeout_seconds)
    values (${agentId}, 'a', 0, 'a', '', 10, 1)`.execute(db);
  return agentId;
}
