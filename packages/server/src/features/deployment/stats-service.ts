import type { DeploymentStats } from "@slipway/api/deployment/deployment";
import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import { timestampFromMs } from "../../platform/db/timestamp.ts";

/** The period of traffic and latency, in milliseconds. */
const windowMs = 15 * 60_000;
/** The time after which a silent agent counts as unused, in milliseconds; agents in use report twice a minute. */
const sessionMs = 90_000;
const updateMs = 30_000;

/** Reads the usage of the deployment, at `now` in milliseconds since the epoch. */
export async function readStats(db: Queryable, now: number): Promise<DeploymentStats> {
  const from = timestampFromMs(now - windowMs);
  const [workspaces, usage] = await Promise.all([
    countWorkspaces(db),
    sumUsage(db, from, timestampFromMs(now - sessionMs)),
  ]);
  const { vscode, ssh, jetbrains, reconnecting_pty } = usage;
  return {
    aggregated_from: from,
    collected_at: timestampFromMs(now),
    next_update_at: timestampFromMs(now + updateMs),
    workspaces: {
      ...workspaces,
      connection_latency_ms: { P50: usage.latency_p50 ?? -1, P95: usage.latency_p95 ?? -1 },
      rx_bytes: usage.rx_bytes,
      tx_bytes: usage.tx_bytes,
    },
    session_count: { vscode, ssh, jetbrains, reconnecting_pty },
  };
}

interface WorkspaceCounts {
  readonly pending: number;
  readonly building: number;
  readonly running: number;
  readonly failed: number;
  readonly stopped: number;
}

/** Counts the workspaces in each state, by their newest builds. */
async function countWorkspaces(db: Queryable): Promise<WorkspaceCounts> {
  const { rows } = await sql<WorkspaceCounts>`
    select
      count(*) filter (where status = 'pending') as pending,
      count(*) filter (where status in ('starting', 'stopping', 'deleting', 'canceling')) as building,
      count(*) filter (where status = 'running') as running,
      count(*) filter (where status in ('failed', 'canceled')) as failed,
      count(*) filter (where status = 'stopped') as stopped
    from workspace_states where not deleted`.execute(db);
  return rows[0] ?? { pending: 0, building: 0, running: 0, failed: 0, stopped: 0 };
}

interface Usage {
  readonly rx_bytes: number;
  readonly tx_bytes: number;
  /** Null: no user was connected. */
  readonly latency_p50: number | null;
  readonly latency_p95: number | null;
  readonly vscode: number;
  readonly ssh: number;
  readonly jetbrains: number;
  readonly reconnecting_pty: number;
}

/**
 * Sums up agents' reports since `from`: traffic of all reports, sessions of the newest of each agent. An agent that has
 * not reported since `sessionsFrom` is no longer in use.
 */
async function sumUsage(db: Queryable, from: string, sessionsFrom: string): Promise<Usage> {
  const { rows } = await sql<Usage>`
    with reports as (
      select workspace_agent_id, stats, created_at, row_number() over (
          partition by workspace_agent_id order by created_at desc, id desc) = 1
          and created_at >= ${sessionsFrom} as is_present,
        (stats ->> 'connection_median_latency_ms')::float8 as latency
      from workspace_agent_stats where created_at >= ${from}
    )
    select
      ${total("rx_bytes", sql`true`)} as rx_bytes,
      ${total("tx_bytes", sql`true`)} as tx_bytes,
      percentile_cont(0.5) within group (order by latency) filter (where latency > 0) as latency_p50,
      percentile_cont(0.95) within group (order by latency) filter (where latency > 0) as latency_p95,
      ${total("session_count_vscode", sql`is_present`)} as vscode,
      ${total("session_count_ssh", sql`is_present`)} as ssh,
      ${total("session_count_jetbrains", sql`is_present`)} as jetbrains,
      ${total("session_count_reconnecting_pty", sql`is_present`)} as reconnecting_pty
    from reports`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error("aggregate returned no row");
  return row;
}

/** Sums a field of the reports. Agents may report anything, so a sum may be larger than a number holds exactly. */
function total(field: string, which: ReturnType<typeof sql>) {
  return sql`coalesce(sum((stats ->> ${sql.lit(field)})::numeric) filter (where ${which}), 0)::float8`;
}
