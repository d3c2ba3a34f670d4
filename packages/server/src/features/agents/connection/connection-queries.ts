import { type RawBuilder, sql } from "kysely";

import type { Queryable } from "../../../platform/db/database.ts";
import { prepareQuery } from "../../../platform/db/prepared-query.ts";
import { isLiveAgent } from "../live-queries.ts";

/** One session of an agent; its id guards its writes, because a newer session may have taken over. */
export interface AgentSession {
  readonly agentId: string;
  readonly connectionId: string;
  readonly replicaId: string;
  /** The time when its agent was authenticated, by the database's clock. */
  readonly authenticatedAt: string;
}

/** Returns the start of an agent's first session, which precedes any answer in it. */
export function firstConnected(authenticatedAt: string): RawBuilder<string> {
  return sql<string>`coalesce(first_connected_at, ${authenticatedAt}::timestamptz)`;
}

/** Records the start of a session; false when the agent is no longer live. */
export async function markConnected(
  db: Queryable,
  { agentId, connectionId, replicaId, authenticatedAt }: AgentSession,
): Promise<boolean> {
  const [row] = await connected(db, agentId, connectionId, replicaId, authenticatedAt);
  return row?.deleted === false && row.is_live;
}

const connected = prepareQuery(
  (db, agentId: string, connectionId: string, replicaId: string, authenticatedAt: string) =>
    db
      .updateTable("workspace_agents")
      .set({
        first_connected_at: firstConnected(authenticatedAt),
        last_connected_at: sql`now()`,
        connected_at: sql`now()`,
        connection_id: connectionId,
        last_connected_replica_id: replicaId,
        updated_at: sql`now()`,
      })
      .where("id", "=", agentId)
      // The current row, under its lock: the view is as of the statement's start.
      .returning(["deleted", isLiveAgent(agentId).as("is_live")]),
);

/**
 * Records that sessions are alive, except those that a newer one has taken over. Resolves to the ids of the agents that
 * are live.
 */
export async function markAllAlive(
  db: Queryable,
  sessions: readonly AgentSession[],
): Promise<ReadonlySet<string>> {
  const agentIds = sessions.map(({ agentId }) => agentId);
  const connectionIds = sessions.map(({ connectionId }) => connectionId);
  const rows = await alive(db, agentIds, connectionIds);
  return new Set(rows.map((row) => row.agent_id));
}

const alive = prepareQuery(
  (_, agentIds: readonly string[], connectionIds: readonly string[]) => sql<{
    readonly agent_id: string;
  }>`
    with session as (
      select * from unnest(${agentIds}::uuid[], ${connectionIds}::uuid[])
        as session (agent_id, connection_id)),
    alive as (
      update workspace_agents a
        set last_connected_at = now(), updated_at = now()
        from session
        where a.id = session.agent_id and a.connection_id = session.connection_id)
    select agent_id from session where ${isLiveAgent(sql.ref("session.agent_id"))}`,
);

/**
 * Records the end of a session; false when that makes no difference to the workspace, because a newer one has taken over
 * or the agent was replaced.
 */
export async function markDisconnected(
  db: Queryable,
  { agentId, connectionId }: AgentSession,
): Promise<boolean> {
  const [row] = await disconnected(db, agentId, connectionId);
  return row?.deleted === false;
}

const disconnected = prepareQuery((db, agentId: string, connectionId: string) =>
  db
    .updateTable("workspace_agents")
    .set({ disconnected_at: sql`now()`, updated_at: sql`now()` })
    .where("id", "=", agentId)
    .where("connection_id", "=", connectionId)
    .returning("deleted"),
);
