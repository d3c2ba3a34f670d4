import type { AgentStatus, LifecycleState, WorkspaceAgent } from "@slipway/api/agents/agent";
import { type RawBuilder, sql } from "kysely";

import { timestampMs } from "../../platform/db/timestamp.ts";

/** The interval at which both sides of a session check each other, in milliseconds (docs/protocol/rpc.md §5). */
export const connectionUpdateMs = 15_000;
/** The silence after which an agent counts as disconnected, in milliseconds. */
export const inactiveTimeoutMs = 2 * connectionUpdateMs;

/** The times that the status is derived from. */
export interface ConnectionTimes {
  readonly created_at: string;
  readonly first_connected_at: string | null;
  readonly last_connected_at: string | null;
  readonly disconnected_at: string | null;
  readonly connection_timeout_seconds: number;
}

export interface DerivedStatus {
  readonly status: AgentStatus;
  /** The time to report: for a silent agent, the last time it was heard from. */
  readonly disconnectedAt: string | null;
}

/** Returns the first status that applies (docs/protocol/rest.md §6.1). `now` in milliseconds since the epoch. */
export function agentStatus(times: ConnectionTimes, now: number): DerivedStatus {
  const { first_connected_at, last_connected_at, disconnected_at } = times;
  if (first_connected_at === null || last_connected_at === null) {
    // Its driver reported that it ended; a stock server does not know that.
    if (disconnected_at !== null)
      return { status: "disconnected", disconnectedAt: disconnected_at };
    const limitMs = times.connection_timeout_seconds * 1000;
    const isLate = limitMs > 0 && now - timestampMs(times.created_at) > limitMs;
    return { status: isLate ? "timeout" : "connecting", disconnectedAt: null };
  }
  const lastConnectedMs = timestampMs(last_connected_at);
  if (disconnected_at !== null && timestampMs(disconnected_at) >= lastConnectedMs) {
    return { status: "disconnected", disconnectedAt: disconnected_at };
  }
  if (now - lastConnectedMs > inactiveTimeoutMs) {
    return { status: "disconnected", disconnectedAt: last_connected_at };
  }
  return { status: "connected", disconnectedAt: disconnected_at };
}

const silentSeconds = sql.lit(inactiveTimeoutMs / 1000);

/** Returns the SQL condition for an agent to be connected, as in `agentStatus`; `agent` is the table's alias. */
export function isConnected(agent: string): RawBuilder<boolean> {
  const column = (name: string) => sql.ref(`${agent}.${name}`);
  return sql<boolean>`coalesce(
    ${column("last_connected_at")} >= now() - make_interval(secs => ${silentSeconds})
      and ${column("last_connected_at")} > coalesce(${column("disconnected_at")}, '-infinity'), false)`;
}

const shuttingDown: ReadonlySet<LifecycleState> = new Set([
  "shutting_down",
  "shutdown_timeout",
  "shutdown_error",
  "off",
]);

/** Returns the first health that applies (docs/protocol/rest.md §6.1). `endDetail` is why the agent ended, if known. */
export function agentHealth(
  status: AgentStatus,
  lifecycle: LifecycleState,
  endDetail: string | null,
): WorkspaceAgent["health"] {
  const reason = unhealthyReason(status, lifecycle, endDetail);
  return reason === undefined ? { healthy: true } : { healthy: false, reason };
}

function unhealthyReason(
  status: AgentStatus,
  lifecycle: LifecycleState,
  endDetail: string | null,
): string | undefined {
  if (status !== "connected" && lifecycle === "off") {
    return endDetail === null ? "agent is not running" : `agent is not running: ${endDetail}`;
  }
  if (status === "connecting") return "agent has not yet connected";
  if (status === "timeout") return "agent is taking too long to connect";
  if (status === "disconnected") return "agent has lost connection";
  if (lifecycle === "start_error") return "agent startup script exited with an error";
  return shuttingDown.has(lifecycle) ? "agent is shutting down" : undefined;
}
