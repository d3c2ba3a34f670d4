import { type RawBuilder, sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";

/** A condition that holds while the agent of that id, which may be a column, is live. */
export function isLiveAgent(agentId: string | RawBuilder<string>): RawBuilder<boolean> {
  return sql<boolean>`exists (select from live_agents where id = ${agentId})`;
}

/** Tells whether an agent is live (docs/protocol/rest.md §1.4). */
export async function isLive(db: Queryable, agentId: string): Promise<boolean> {
  return (await selectLive(db, [agentId])).has(agentId);
}

/** The ids of those agents that are live. */
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
