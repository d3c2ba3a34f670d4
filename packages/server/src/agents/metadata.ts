import type { AgentMetadata } from "@slipway/api";
import { zeroTimestamp } from "@slipway/api";
import { sql } from "kysely";

import type { Database, Queryable } from "../db/database.ts";
import { timestampMs } from "../db/timestamp.ts";

/** A collected value, trimmed and cut to its limits. */
export interface MetadataValue {
  readonly key: string;
  readonly value: string;
  readonly error: string;
}

/** Keeps the newest values; keys that the agent does not have are left out. Received now. */
export async function updateMetadata(
  db: Database,
  agentId: string,
  values: readonly MetadataValue[],
): Promise<void> {
  await sql`
    update workspace_agent_metadata m
      set value = new.value, error = new.error, collected_at = now()
      from unnest(
        ${values.map((item) => item.key)}::text[],
        ${values.map((item) => item.value)}::text[],
        ${values.map((item) => item.error)}::text[]
      ) as new (key, value, error)
      where m.workspace_agent_id = ${agentId} and m.key = new.key`.execute(db);
}

function selectMetadata(db: Queryable, agentId: string) {
  return db
    .selectFrom("workspace_agent_metadata")
    .where("workspace_agent_id", "=", agentId)
    .orderBy("position")
    .orderBy("key")
    .selectAll()
    .execute();
}

/** What a value that never was reads as, in seconds: the longest time of the original. */
const ageOfNever = 9_223_372_036;

/** All metadata of an agent at `now` (`rest.md` section 6.3). */
export async function readMetadata(
  db: Queryable,
  agentId: string,
  now: number,
): Promise<AgentMetadata[]> {
  const rows = await selectMetadata(db, agentId);
  return rows.map((row) => ({
    result: {
      collected_at: row.collected_at ?? zeroTimestamp,
      age:
        row.collected_at === null
          ? ageOfNever
          : Math.max(0, Math.floor((now - timestampMs(row.collected_at)) / 1000)),
      value: row.value,
      error: row.error,
    },
    description: {
      display_name: row.display_name,
      key: row.key,
      script: row.script,
      interval: row.interval_seconds,
      timeout: row.timeout_seconds,
    },
  }));
}
