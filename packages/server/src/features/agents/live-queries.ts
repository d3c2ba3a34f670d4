import { type RawBuilder, sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";

/** Returns the condition that the agent of that id, which may be a column, is live. */
export function isLiveAgent(agentId: string | RawBuilder<string>): RawBuilder<boolean> {
  return sql<boolean>`exists (select from live_agents where id = ${agentId})`;
}

/** Returns whether an agent is live (docs/protocol/rest.md §1.4). */
export async function isLive(db: Queryable, agentId: string): Promise<boolean> {
  return (await selectLive(db, [agentId])).has(agentId);
}

/** Selects the ids of the live ones among agents. */
export async function selectLive(
  db: Queryable,
  agentIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom("live_agents")
    .where("id", "=", sql<string>`any(${sql.val([...agentIds])}::uuid[])`)
    .select("id")
    .execute();
  return new Set(rows.map((row) => row.id));
}
