import type { ConnectionLog } from "@slipway/api/agents/connection-log-routes";
import { type AgentUse, listWorkspaceConnections } from "@slipway/api/workspaces/connection-routes";
import { sql } from "kysely";

import { mayReadAudit } from "../../platform/auth/rights.ts";
import type { Database, Queryable } from "../../platform/db/database.ts";
import { requireUuid } from "../../platform/fields/uuid.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import type { Routes } from "../../platform/http/routes.ts";
import { newestBuild } from "../../platform/jobs/build-sql.ts";
import {
  connectionJson,
  selectWorkspaceConnections,
} from "../agents/connections/connection-log-queries.ts";
import { requireWorkspace } from "./service.ts";

/** The maximum number of connections that are listed. */
const maxConnections = 100;

/** Adds the route by which those who see a workspace see who connects to it. */
export function addWorkspaceConnectionRoutes(routes: Routes, db: Database): void {
  routes.user(listWorkspaceConnections, async ({ params }, user) => {
    const { id: workspaceId } = await requireWorkspace(db, user, requireUuid(params.workspace));
    const [rows, agents] = await Promise.all([
      selectWorkspaceConnections(db, workspaceId, maxConnections),
      selectAgentUse(db, workspaceId),
    ]);
    return { connections: rows.map((row) => shownTo(user, connectionJson(row))), agents };
  });
}

/** Leaves out from where somebody else connected: their address is for those who read the audit trail. */
function shownTo(caller: UserCaller, connection: ConnectionLog): ConnectionLog {
  if (mayReadAudit(caller) || connection.user?.id === caller.id) return connection;
  const { ip: _, ...rest } = connection;
  return rest;
}

/** Selects the latest statistics of each agent of a workspace's newest build that has any. */
async function selectAgentUse(db: Queryable, workspaceId: string): Promise<AgentUse[]> {
  const { rows } = await sql<AgentUse>`
    select agent.name as agent_name, last.created_at as reported_at,
        json_build_object(
          'ssh', coalesce((last.stats ->> 'session_count_ssh')::int, 0),
          'vscode', coalesce((last.stats ->> 'session_count_vscode')::int, 0),
          'jetbrains', coalesce((last.stats ->> 'session_count_jetbrains')::int, 0),
          'reconnecting_pty', coalesce((last.stats ->> 'session_count_reconnecting_pty')::int, 0)
        ) as sessions,
        case when (last.stats ->> 'connection_median_latency_ms')::float8 > 0
          then (last.stats ->> 'connection_median_latency_ms')::float8 end as median_latency_ms,
        coalesce((last.stats ->> 'rx_bytes')::float8, 0) as rx_bytes,
        coalesce((last.stats ->> 'tx_bytes')::float8, 0) as tx_bytes
      from workspace_agents agent
      join lateral ${newestBuild(sql`${workspaceId}`)} newest on newest.id = agent.workspace_build_id
      join lateral (
        select stats, created_at from workspace_agent_stats
          where workspace_agent_id = agent.id order by id desc limit 1) last on true
      order by agent.name`.execute(db);
  return rows;
}
