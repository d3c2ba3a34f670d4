import { type RawBuilder, sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import { prepareQuery } from "../../platform/db/prepared-query.ts";

/**
 * Returns the condition that the agent of that id, which may be a column, is live (docs/protocol/rest.md §1.4). Each agent is
 * looked up by its id: a join, or `exists`, would read every build of every workspace where there are few of them.
 */
export function isLiveAgent(agentId: string | RawBuilder<string>): RawBuilder<boolean> {
  return sql<boolean>`coalesce((select true from live_agents where id = ${agentId}), false)`;
}

/** Returns whether an agent is live. */
export async function isLive(db: Queryable, agentId: string): Promise<boolean> {
  return (await selectLive(db, [agentId])).has(agentId);
}

/** Selects the ids of the live ones among agents. */
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
