import type {
  ConnectionType,
  LifecycleState,
  ScriptStage,
  ScriptStatus,
  Subsystem,
} from "@slipway/api";
import { type RawBuilder, type Selectable, sql } from "kysely";

import type { Queryable } from "../../../platform/db/database.ts";
import type { DB } from "../../../platform/db/gen/schema.ts";
import { prepareQuery } from "../../../platform/db/prepared-query.ts";
import type { AgentCaller } from "../../../platform/http/caller.ts";
import { type AgentSession, firstConnected } from "../connection/connection-queries.ts";
import { isLiveAgent } from "../live-queries.ts";

interface AgentStartup {
  readonly version: string;
  readonly expandedDirectory: string;
  readonly subsystems: readonly Subsystem[];
  readonly apiVersion: string;
}

/**
 * Stores the description of a live agent; false when it is not live. A process that starts as this agent sends this
 * before its lifecycle, so that the start of its first session is known by then.
 */
export async function updateAgentStartup(
  db: Queryable,
  { agentId, authenticatedAt }: Pick<AgentCaller, "agentId" | "authenticatedAt">,
  startup: AgentStartup,
): Promise<boolean> {
  const { version, expandedDirectory, subsystems, apiVersion } = startup;
  const texts = [version, expandedDirectory, apiVersion] as const;
  const stored = await startups(db, agentId, authenticatedAt, ...texts, [...subsystems]);
  return stored.length > 0;
}

const startups = prepareQuery(
  (
    db,
    agentId: string,
    authenticatedAt: string,
    version: string,
    expandedDirectory: string,
    apiVersion: string,
    subsystems: Subsystem[],
  ) =>
    db
      .updateTable("workspace_agents")
      .set({
        version,
        expanded_directory: expandedDirectory,
        subsystems,
        api_version: apiVersion,
        first_connected_at: firstConnected(authenticatedAt),
        updated_at: sql`now()`,
      })
      .where("id", "=", agentId)
      .where(isLiveAgent(agentId))
      // Checked again under the row's lock, which a claim may have held.
      .where("deleted", "=", sql.lit(false))
      .returning("id"),
);

/** The mark in the version of agents that decide by identity, such as `v2.37.0+slipway.0.1.0`. */
const identityMark = "+slipway.";

/**
 * Returns the condition that a report `new` of agent `a` starting is about its lifecycle as this row, not a late one
 * from before the claim. An agent that decides by identity drops such reports by itself. A stock agent delivers them in
 * order: so one that was seen to shut down has none left. Otherwise the time of the report decides, by the clock of the
 * agent's machine: no lifecycle as this row began before its first session did (docs/claims.md).
 */
function isOfThisLife(authenticatedAt: string): RawBuilder<boolean> {
  const firstSession = sql`coalesce(a.first_connected_at, ${authenticatedAt}::timestamptz)`;
  return sql<boolean>`(
    a.reinit_received_at is not null
      or position(${sql.lit(identityMark)} in a.version) > 0
      or extract(epoch from new.changed_at - ${firstSession}) * 1000 >= coalesce(a.clock_ahead_ms, 0))`;
}

/** The effect of a report of the lifecycle; `none`: the agent is live, and the report is not about its present lifecycle. */
export type LifecycleEffect = "changed" | "none" | "not-live";

/**
 * Updates the lifecycle state. Start and end of the start scripts follow from it (table of docs/protocol/rpc.md §7.3).
 * While the agent is owed a reinit, any report except `starting` is about its previous lifecycle and changes nothing
 * (docs/claims.md); a shutdown after it was notified is recorded, because a release that does not recognize repetitions
 * would restart at each. Nor does a session's report of a time that the agent has passed have an effect once a newer
 * session exists: the statement was delayed, and the agent, which had no answer, has sent it again. In the newest
 * session, an agent's clock may have been set back.
 */
export async function updateAgentLifecycle(
  db: Queryable,
  { agentId, connectionId, authenticatedAt }: Omit<AgentSession, "replicaId">,
  change: { readonly state: LifecycleState; readonly changedAt: string },
): Promise<LifecycleEffect> {
  const { state, changedAt } = change;
  const [row] = await lifecycles(db, agentId, connectionId, authenticatedAt, state, changedAt);
  return row?.effect ?? "not-live";
}

const lifecycles = prepareQuery(
  (
    _,
    agentId: string,
    connectionId: string,
    authenticatedAt: string,
    state: LifecycleState,
    changedAt: string,
  ) => sql<{ readonly effect: LifecycleEffect }>`
    with new as (
      select ${state}::text as state, ${changedAt}::timestamptz as changed_at, ${isLiveAgent(agentId)} as is_live),
    received as (
      update workspace_agents set reinit_received_at = now() from new
        where id = ${agentId} and new.is_live and took_over and started_at is null
          and reinit_sent_at is not null and reinit_received_at is null
          and new.state in ('shutting_down', 'shutdown_timeout', 'shutdown_error', 'off')
        returning deleted),
    changed as (
      update workspace_agents a set
        lifecycle_state = new.state,
        started_at = case
          when new.state = 'starting' then new.changed_at
          when new.state in ('ready', 'start_timeout', 'start_error') then coalesce(a.started_at, new.changed_at)
          else a.started_at end,
        ready_at = case
          when new.state = 'starting' then null
          when new.state in ('ready', 'start_timeout', 'start_error') then new.changed_at
          else a.ready_at end,
        clock_ahead_ms = greatest(a.clock_ahead_ms, extract(epoch from new.changed_at - now()) * 1000),
        updated_at = now()
      from new
      where a.id = ${agentId} and new.is_live
        and (a.started_at is not null or not a.took_over or (new.state = 'starting' and ${isOfThisLife(authenticatedAt)}))
        and not (coalesce(a.connection_id <> ${connectionId}, false) and (
          coalesce(new.changed_at < greatest(a.started_at, a.ready_at), false) or
          coalesce(new.changed_at = case
            when new.state = 'starting' then a.started_at
            when new.state in ('ready', 'start_timeout', 'start_error') then a.ready_at end, false)))
      returning a.id)
    select case
        when exists (select from changed) then 'changed'
        -- A claim may have ended the agent while the statement waited for its row.
        when new.is_live and not exists (select from received where deleted) then 'none'
        else 'not-live' end as effect
      from new`,
);

/** Stores the statistics of a live agent in use, and records that its workspace was used; false when it is not live. */
export async function insertStats(
  db: Queryable,
  agent: { readonly agentId: string; readonly workspaceId: string },
  stats: object,
): Promise<boolean> {
  const { numAffectedRows } = await sql`
    with used as (
      update workspaces set last_used_at = now()
        where id = ${agent.workspaceId} and ${isLiveAgent(agent.agentId)})
    insert into workspace_agent_stats (workspace_agent_id, stats)
      select id, ${JSON.stringify(stats)}::jsonb from live_agents where id = ${agent.agentId}`.execute(
    db,
  );
  return numAffectedRows !== 0n;
}

interface ScriptTiming {
  readonly scriptId: string;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly exitCode: number;
  readonly stage: ScriptStage;
  readonly status: ScriptStatus;
}

/** Stores the result of a script run; false when the agent has no such script or is not live. */
export async function upsertScriptTiming(
  db: Queryable,
  agentId: string,
  timing: ScriptTiming,
): Promise<boolean> {
  const { numAffectedRows } = await sql`
    insert into workspace_agent_script_timings (script_id, started_at, ended_at, exit_code, stage, status)
      select id, ${timing.startedAt}::timestamptz, ${timing.endedAt}::timestamptz,
          ${timing.exitCode}::integer, ${timing.stage}::text, ${timing.status}::text
        from workspace_agent_scripts
        where id = ${timing.scriptId} and workspace_agent_id = ${agentId} and ${isLiveAgent(agentId)}
      on conflict (script_id, started_at) do update set
        ended_at = excluded.ended_at, exit_code = excluded.exit_code,
        stage = excluded.stage, status = excluded.status`.execute(db);
  return numAffectedRows === 1n;
}

/** The monitors that the build gave an agent, as JSON. */
export type MonitorsRow = Pick<Selectable<DB["workspace_agents"]>, "id" | "resource_monitors">;

/** Selects the monitors of the live ones among agents, by the agent's id. */
export async function selectResourceMonitors(
  db: Queryable,
  agentIds: readonly string[],
): Promise<ReadonlyMap<string, MonitorsRow>> {
  const rows = await monitors(db, agentIds);
  return new Map(rows.map((row) => [row.id, row]));
}

const monitors = prepareQuery((db, agentIds: readonly string[]) =>
  db
    .selectFrom("workspace_agents as agent")
    .where("agent.id", "=", sql<string>`any(${agentIds}::uuid[])`)
    .where(isLiveAgent(sql.ref("agent.id")))
    .select(["agent.id", "agent.resource_monitors"]),
);

interface ConnectionReport {
  readonly id: string;
  readonly agentId: string;
  readonly type: ConnectionType;
  readonly ip: string | null;
  readonly connectedAt: string | null;
  readonly disconnectedAt: string | null;
  readonly statusCode: number | null;
  readonly reason: string | null;
}

/**
 * Merges both reports of a connection into one row: the earliest connect and the first disconnect win
 * (docs/protocol/rpc.md §7.11). False when the agent is not live.
 */
export async function upsertConnection(db: Queryable, report: ConnectionReport): Promise<boolean> {
  const { numAffectedRows } = await sql`
    insert into workspace_connections as c
        (id, workspace_agent_id, type, ip, connected_at, disconnected_at, status_code, reason)
      select ${report.id}::uuid, id, ${report.type}::text, ${report.ip}::text, ${report.connectedAt}::timestamptz,
          ${report.disconnectedAt}::timestamptz, ${report.statusCode}::integer, ${report.reason}::text
        from live_agents where id = ${report.agentId}
      on conflict (workspace_agent_id, id) do update set
        ip = coalesce(c.ip, excluded.ip),
        connected_at = least(c.connected_at, excluded.connected_at),
        disconnected_at = coalesce(c.disconnected_at, excluded.disconnected_at),
        status_code = case when c.disconnected_at is null then excluded.status_code else c.status_code end,
        reason = case when c.disconnected_at is null then excluded.reason else c.reason end`.execute(
    db,
  );
  return numAffectedRows !== 0n;
}
