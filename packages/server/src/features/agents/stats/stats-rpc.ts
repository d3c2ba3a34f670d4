import type { MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import type {
  Stats,
  UpdateStatsRequest,
  UpdateStatsResponseSchema,
} from "@slipway/wire/protobuf/gen/agent_pb";
import { durationFromMs } from "@slipway/wire/protobuf/time";
import { sql } from "kysely";

import type { Queryable } from "../../../platform/db/database.ts";
import { storableText } from "../../../platform/fields/storable-text.ts";
import type { Platform } from "../../../platform/platform.ts";
import { topics } from "../../../platform/pubsub/pubsub.ts";
import { maxProtocolLength, maxProtocols, otherProtocols } from "../calls/limits.ts";
import { notLive, type RpcCaller } from "../calls/rpc-caller.ts";
import { isLiveAgent } from "../live-queries.ts";

export interface StatsNeeds extends Pick<Platform, "db" | "pubsub"> {
  /** Extends the deadline of a workspace in use. A function, because the builds feature depends on this one. */
  readonly noteActivity: (workspaceId: string) => Promise<void>;
}

/** The interval between reports, which every answer tells the agent (docs/protocol/rpc.md §7.4). */
const reportIntervalMs = 30_000;

/** Stores the report of an agent in use, and returns when to report again. Idle reports are not stored. */
export async function updateStats(
  { db, pubsub, noteActivity }: StatsNeeds,
  { agent, spend }: Pick<RpcCaller, "agent" | "spend">,
  { stats }: UpdateStatsRequest,
): Promise<MessageInitShape<typeof UpdateStatsResponseSchema>> {
  // Beyond the budget a report has no effect: if refused, the agent would reconnect and send it again.
  if (stats !== undefined && isInUse(stats) && spend("statistics") > 0) {
    const isStored = await insertStats(db, agent, keptStats(stats));
    if (!isStored) throw notLive();
    if (stats.connectionCount > 0n) await noteActivity(agent.workspaceId);
    pubsub.publish(topics.workspace(agent.workspaceId));
  }
  return { reportInterval: durationFromMs(reportIntervalMs) };
}

function isInUse(stats: Stats): boolean {
  return [
    stats.connectionCount,
    stats.sessionCountVscode,
    stats.sessionCountJetbrains,
    stats.sessionCountReconnectingPty,
    stats.sessionCountSsh,
  ].some((count) => count > 0n);
}

/** Returns the connections by protocol: the first names, and all others under one. */
function keptProtocols(counts: Stats["connectionsByProto"]): Readonly<Record<string, number>> {
  const kept = new Map<string, number>();
  const keep = (name: string, count: bigint): void => {
    kept.set(name, (kept.get(name) ?? 0) + Number(count));
  };
  for (const [name, count] of Object.entries(counts)) {
    const isKept = name.length <= maxProtocolLength && kept.size < maxProtocols;
    keep(isKept ? storableText(name) : otherProtocols, count);
  }
  return Object.fromEntries(kept);
}

/** Returns the stored form of a report: the names of the message, without the metrics. */
function keptStats(stats: Stats): object {
  return {
    connections_by_proto: keptProtocols(stats.connectionsByProto),
    connection_count: Number(stats.connectionCount),
    connection_median_latency_ms: stats.connectionMedianLatencyMs,
    rx_packets: Number(stats.rxPackets),
    rx_bytes: Number(stats.rxBytes),
    tx_packets: Number(stats.txPackets),
    tx_bytes: Number(stats.txBytes),
    session_count_vscode: Number(stats.sessionCountVscode),
    session_count_jetbrains: Number(stats.sessionCountJetbrains),
    session_count_reconnecting_pty: Number(stats.sessionCountReconnectingPty),
    session_count_ssh: Number(stats.sessionCountSsh),
  };
}

/** Stores the statistics of an agent in use, and the use of its workspace; resolves to false if it is not live. */
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
