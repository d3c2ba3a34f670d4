import { type RawBuilder, sql } from "kysely";

import type { Queryable } from "../../../platform/db/database.ts";
import { lossyCommit } from "../../../platform/db/lossy-commit.ts";
import { isOneOfFew } from "../../../platform/db/one-of-few.ts";
import { prepareQuery } from "../../../platform/db/prepared-query.ts";
import { isConnected } from "../agent-status.ts";
import { isLiveAgent } from "../live-queries.ts";

/** One session of an agent; its id guards its writes, because a newer session may have taken over. */
export interface AgentSession {
  readonly agentId: string;
  readonly connectionId: string;
  readonly replicaId: string;
  /** The time when its agent was authenticated, by the database's clock. */
  readonly authenticatedAt: string;
}

/**
 * Returns the SQL expression for the start of an agent's first session: the one in the row, or the time when the
 * agent was authenticated for this session, which precedes any answer in it.
 */
export function firstConnected(authenticatedAt: RawBuilder<unknown>): RawBuilder<string> {
  return sql<string>`coalesce(first_connected_at, ${authenticatedAt}::timestamptz)`;
}

/** Records the start of one session; resolves to false if the agent is no longer live. */
export async function markConnected(db: Queryable, session: AgentSession): Promise<boolean> {
  return (await markAllConnected(db, [session])).get(session.agentId) ?? false;
}

/**
 * Records the starts of sessions of different agents. Resolves to whether the agents are live, by their ids; agents
 * without a row are missing.
 */
export async function markAllConnected(
  db: Queryable,
  sessions: readonly AgentSession[],
): Promise<ReadonlyMap<string, boolean>> {
  const rows = await connected(
    db,
    sessions.map(({ agentId }) => agentId),
    sessions.map(({ connectionId }) => connectionId),
    sessions.map(({ replicaId }) => replicaId),
    sessions.map(({ authenticatedAt }) => authenticatedAt),
  );
  return new Map(rows.map(({ id, deleted, is_live }) => [id, !deleted && is_live]));
}

const connected = prepareQuery(
  (
    _,
    agentIds: readonly string[],
    connectionIds: readonly string[],
    replicaIds: readonly string[],
    authenticatedAts: readonly string[],
  ) => sql<{ readonly id: string; readonly deleted: boolean; readonly is_live: boolean }>`
    update workspace_agents a set
        first_connected_at = ${firstConnected(sql`new.authenticated_at`)},
        last_connected_at = now(), connected_at = now(), updated_at = now(),
        connection_id = new.connection_id, last_connected_replica_id = new.replica_id, end_detail = null
      from unnest(${agentIds}::uuid[], ${connectionIds}::uuid[], ${replicaIds}::uuid[],
          ${authenticatedAts}::timestamptz[]) as new (id, connection_id, replica_id, authenticated_at)
      where a.id = new.id and ${isOneOfFew("new.id")}
      -- The current row, under its lock: the view is as of the statement's start.
      returning a.id, a.deleted, ${isLiveAgent(sql.ref("a.id"))} as is_live`,
);

/** The result of recording sessions as alive. */
export interface AliveSessions {
  /** The ids of the agents that are live. */
  readonly liveAgents: ReadonlySet<string>;
  /** The ids of the sessions that hold their agents' rows: no newer one has taken them over. */
  readonly holders: ReadonlySet<string>;
}

/**
 * Records sessions as alive, except those that do not hold their agents' rows. Waits for no lock, so that a transaction that
 * holds one agent makes no other seem disconnected: its session is recorded the next time.
 */
export async function markAllAlive(
  db: Queryable,
  sessions: readonly Pick<AgentSession, "agentId" | "connectionId">[],
): Promise<AliveSessions> {
  const agentIds = sessions.map(({ agentId }) => agentId);
  const connectionIds = sessions.map(({ connectionId }) => connectionId);
  const rows = await alive(db, agentIds, connectionIds);
  return {
    liveAgents: new Set(rows.flatMap((row) => (row.is_live ? [row.agent_id] : []))),
    holders: new Set(rows.flatMap((row) => (row.is_holder ? [row.connection_id] : []))),
  };
}

const alive = prepareQuery(
  (_, agentIds: readonly string[], connectionIds: readonly string[]) => sql<{
    readonly agent_id: string;
    readonly connection_id: string;
    readonly is_live: boolean;
    readonly is_holder: boolean;
  }>`
    with session as (
      select session.* from unnest(${agentIds}::uuid[], ${connectionIds}::uuid[])
        as session (agent_id, connection_id) cross join ${lossyCommit}),
    held as (
      select a.id from session join workspace_agents a
          on a.id = session.agent_id and a.connection_id = session.connection_id
        where ${isOneOfFew("session.agent_id")}
        for no key update of a skip locked),
    alive as (
      update workspace_agents a set last_connected_at = now(), updated_at = now()
        from held where a.id = held.id and ${isOneOfFew("held.id")})
    select agent_id, connection_id, ${isLiveAgent(sql.ref("session.agent_id"))} as is_live,
        coalesce(connection_id = (select a.connection_id from workspace_agents a
          where a.id = session.agent_id), false) as is_holder
      from session`,
);

/**
 * Lets sessions that are alive take over the rows of their agents, from sessions that have ended or fallen silent, or
 * from the one that they succeed, whose end is known but not recorded. Resolves to the ids of the sessions that did;
 * their starts are restored in the rows.
 */
export async function takeOverRows(
  db: Queryable,
  heirs: readonly AgentSession[],
  succeeds: string | undefined,
): Promise<ReadonlySet<string>> {
  const rows = await takenOver(
    db,
    heirs.map(({ agentId }) => agentId),
    heirs.map(({ connectionId }) => connectionId),
    heirs.map(({ replicaId }) => replicaId),
    heirs.map(({ authenticatedAt }) => authenticatedAt),
    succeeds ?? null,
  );
  return new Set(rows.map((row) => row.connection_id));
}

const takenOver = prepareQuery(
  (
    _,
    agentIds: readonly string[],
    connectionIds: readonly string[],
    replicaIds: readonly string[],
    authenticatedAts: readonly string[],
    succeeds: string | null,
  ) => sql<{ readonly connection_id: string }>`
    update workspace_agents a set
        last_connected_at = now(), connected_at = heir.authenticated_at, updated_at = now(),
        connection_id = heir.connection_id, last_connected_replica_id = heir.replica_id, end_detail = null
      from unnest(${agentIds}::uuid[], ${connectionIds}::uuid[], ${replicaIds}::uuid[],
          ${authenticatedAts}::timestamptz[]) as heir (id, connection_id, replica_id, authenticated_at)
      where a.id = heir.id and ${isOneOfFew("heir.id")}
        -- Checked again under the row's lock: a newer session may have begun.
        and a.connection_id <> heir.connection_id
        and (coalesce(a.connection_id = ${succeeds}::uuid, false) or not ${isConnected("a")})
      returning a.connection_id`,
);

/** Records the end of one session; resolves to false as `markAllDisconnected` does. */
export async function markDisconnected(
  db: Queryable,
  session: Pick<AgentSession, "agentId" | "connectionId">,
): Promise<boolean> {
  return (await markAllDisconnected(db, [session])).get(session.agentId) ?? false;
}

/**
 * Records the ends of sessions of different agents. Resolves, by the agent's id, to whether that changes the workspace:
 * false if the agent was replaced. Agents whose row a newer session holds are missing.
 */
export async function markAllDisconnected(
  db: Queryable,
  sessions: readonly Pick<AgentSession, "agentId" | "connectionId">[],
): Promise<ReadonlyMap<string, boolean>> {
  const agentIds = sessions.map(({ agentId }) => agentId);
  const connectionIds = sessions.map(({ connectionId }) => connectionId);
  const rows = await disconnected(db, agentIds, connectionIds);
  return new Map(rows.map(({ id, deleted }) => [id, !deleted]));
}

const disconnected = prepareQuery(
  (_, agentIds: readonly string[], connectionIds: readonly string[]) => sql<{
    readonly id: string;
    readonly deleted: boolean;
  }>`
    update workspace_agents a set disconnected_at = now(), updated_at = now()
      from unnest(${agentIds}::uuid[], ${connectionIds}::uuid[]) as ended (id, connection_id)
      where a.id = ended.id and a.connection_id = ended.connection_id and ${isOneOfFew("ended.id")}
      returning a.id, a.deleted`,
);
