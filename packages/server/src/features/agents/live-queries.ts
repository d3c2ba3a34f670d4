import { type RawBuilder, sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import { prepareQuery } from "../../platform/db/prepared-query.ts";

/**
 * Returns the SQL condition for an agent to be live (docs/protocol/rest.md §1.4); its id may be a column. Looks each
 * agent up by its id: a join, or `exists`, would read every build of every workspace while there are few of them.
 */
export function isLiveAgent(agentId: string | RawBuilder<string>): RawBuilder<boolean> {
  return sql<boolean>`coalesce((select true from live_agents where id = ${agentId}), false)`;
}

/** Returns whether an agent is live. */
export async function isLive(db: Queryable, agentId: string): Promise<boolean> {
  return (await selectLive(db, [agentId])).has(agentId);
}

/** Selects the ids of those agents that are live. */
export async function selectLive(
  db: Queryable,
  agentIds: readonly string[],
): Promise<ReadonlySet<string>> {
  return new Set((await liveAgents(db, agentIds)).map(({ id }) => id));
}

const liveAgents = prepareQuery(
  (_, agentIds: readonly string[]) => sql<{ readonly id: string }>`
    select id from unnest(${agentIds}::uuid[]) as wanted (id)
      where ${isLiveAgent(sql.ref("wanted.id"))}`,
);
