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
  // One look for each, by its id: a join, or `exists`, reads every build of every workspace where there are few of them.
  const { rows } = await sql<{ id: string; is_live: true | null }>`
    select wanted.id, (select true from live_agents where id = wanted.id) as is_live
      from unnest(${[...agentIds]}::uuid[]) as wanted (id)`.execute(db);
  return new Set(rows.flatMap(({ id, is_live: live }) => (live === true ? [id] : [])));
}
