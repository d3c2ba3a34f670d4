import { type AgentMetadata, zeroTimestamp } from "@slipway/api";
import { sql } from "kysely";

import type { Database, Queryable } from "../../../platform/db/database.ts";
import { timestampMs } from "../../../platform/db/timestamp.ts";

/** A collected value, trimmed and cut to its limits. */
export interface MetadataValue {
  readonly key: string;
  readonly value: string;
  readonly error: string;
}

/** A value of an agent, with the time of its receipt, in milliseconds since the epoch. */
export interface MetadataUpdate extends MetadataValue {
  readonly agentId: string;
  readonly receivedMs: number;
}

/** Stores the newest values, except of keys that their agents do not have. No two are of the same agent and key. */
export async function updateMetadata(
  db: Database,
  updates: readonly MetadataUpdate[],
): Promise<void> {
  await sql`
    update workspace_agent_metadata m
      set value = new.value, error = new.error,
        collected_at = to_timestamp(new.received_ms / 1000.0)
      from unnest(
        ${updates.map((item) => item.agentId)}::uuid[],
        ${updates.map((item) => item.key)}::text[],
        ${updates.map((item) => item.value)}::text[],
        ${updates.map((item) => item.error)}::text[],
        ${updates.map((item) => item.receivedMs)}::bigint[]
      ) as new (agent_id, key, value, error, received_ms)
      where m.workspace_agent_id = new.agent_id and m.key = new.key`.execute(db);
}

/** Selects the keys that the build gave an agent, which never change. */
export async function selectMetadataKeys(
  db: Queryable,
  agentId: string,
): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom("workspace_agent_metadata")
    .where("workspace_agent_id", "=", agentId)
    .select("key")
    .execute();
  return new Set(rows.map(({ key }) => key));
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

/** The age of a value that was never set, in seconds: the longest duration of the original. */
const ageOfNever = 9_223_372_036;

/** Reads all metadata of an agent at `now` (docs/protocol/rest.md §6.3). */
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
