import type { ConnectionType, ScriptStage, ScriptStatus, Subsystem } from "@slipway/api";
import { type Selectable, sql } from "kysely";

import type { Queryable } from "../../../platform/db/database.ts";
import type { DB } from "../../../platform/db/gen/schema.ts";
import { prepareQuery } from "../../../platform/db/prepared-query.ts";
import type { AgentCaller } from "../../../platform/http/caller.ts";
import { visitorAt } from "../connection-log/visits.ts";
import { firstConnected } from "../connection/connection-queries.ts";
import { isOneOfFew } from "../connection/one-of-few.ts";
import { isLiveAgent } from "../live-queries.ts";

interface AgentStartup {
  readonly version: string;
  readonly expandedDirectory: string;
  readonly subsystems: readonly Subsystem[];
  readonly apiVersion: string;
}

/** A description by its agent. */
export interface StartupOfAgent extends AgentStartup {
  readonly agentId: string;
  /** The time when the agent was authenticated for the session that reports it. */
  readonly authenticatedAt: string;
}

/** Stores the description of an agent; false when it is not live. */
export async function updateAgentStartup(
  db: Queryable,
  { agentId, authenticatedAt }: Pick<AgentCaller, "agentId" | "authenticatedAt">,
  startup: AgentStartup,
): Promise<boolean> {
  return (await updateStartups(db, [{ ...startup, agentId, authenticatedAt }])).has(agentId);
}

/**
 * Stores the descriptions of agents, each of another, if they are live; resolves to the ids of these, with `true`. A
 * process that starts as an agent sends this before its lifecycle, so that the start of its first session is known by
 * then.
 */
export async function updateStartups(
  db: Queryable,
  startups: readonly StartupOfAgent[],
): Promise<ReadonlyMap<string, true>> {
  const rows = startups.map(({ agentId, authenticatedAt, ...startup }) => ({
    id: agentId,
    version: startup.version,
    expanded_directory: startup.expandedDirectory,
    subsystems: startup.subsystems,
    api_version: startup.apiVersion,
    authenticated_at: authenticatedAt,
  }));
  const stored = await startupUpdates(db, JSON.stringify(rows));
  return new Map(stored.map(({ id }) => [id, true]));
}

const startupUpdates = prepareQuery(
  (_, rows: string) => sql<{ readonly id: string }>`
    update workspace_agents a set
        version = new.version, expanded_directory = new.expanded_directory,
        subsystems = new.subsystems, api_version = new.api_version,
        first_connected_at = ${firstConnected(sql`new.authenticated_at`)}, updated_at = now()
      from jsonb_to_recordset(${rows}::jsonb) as new (id uuid, version text, expanded_directory text,
          subsystems text[], api_version text, authenticated_at timestamptz)
      where a.id = new.id and ${isOneOfFew("new.id")} and ${isLiveAgent(sql.ref("new.id"))}
        -- Checked again under the row's lock, which a claim may have held.
        and not a.deleted
      returning a.id`,
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
  /** The address inside the network, by which the client is found. */
  readonly address: string | null;
  readonly connectedAt: string | null;
  readonly disconnectedAt: string | null;
  readonly statusCode: number | null;
  readonly reason: string | null;
}

/**
 * Merges both reports of a connection into one row: the earliest connect and the first disconnect win
 * (docs/protocol/rpc.md §7.11), and so does the first report whose address is a client's. False when the agent is not live.
 */
export async function upsertConnection(db: Queryable, report: ConnectionReport): Promise<boolean> {
  const { numAffectedRows } = await sql`
    with visitor as (${visitorAt(report.agentId, report.address)})
    insert into workspace_connections as c
        (id, workspace_agent_id, type, user_id, ip, connected_at, disconnected_at, status_code, reason)
      select ${report.id}::uuid, id, ${report.type}::text, visitor.user_id, visitor.ip, ${report.connectedAt}::timestamptz,
          ${report.disconnectedAt}::timestamptz, ${report.statusCode}::integer, ${report.reason}::text
        from live_agents left join visitor on true where id = ${report.agentId}
      on conflict (workspace_agent_id, id) do update set
        user_id = coalesce(c.user_id, excluded.user_id),
        ip = case when c.user_id is null then excluded.ip else c.ip end,
        connected_at = least(c.connected_at, excluded.connected_at),
        disconnected_at = coalesce(c.disconnected_at, excluded.disconnected_at),
        status_code = case when c.disconnected_at is null then excluded.status_code else c.status_code end,
        reason = case when c.disconnected_at is null then excluded.reason else c.reason end`.execute(
    db,
  );
  return numAffectedRows !== 0n;
}
