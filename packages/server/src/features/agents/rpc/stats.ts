import {
  durationFromMs,
  type MessageInitShape,
  type Stats,
  type UpdateStatsRequest,
  type UpdateStatsResponseSchema,
} from "@slipway/wire";

import type { Database } from "../../../platform/db/database.ts";
import { withoutNul } from "../../../platform/http/storable-text.ts";
import { type PubSub, topics } from "../../../platform/pubsub/pubsub.ts";
import { maxProtocolLength, maxProtocols, otherProtocols } from "./limits.ts";
import { insertStats } from "./queries.ts";
import { notLive } from "./require-live.ts";
import type { RpcCaller } from "./rpc-caller.ts";

export interface StatsNeeds {
  readonly db: Database;
  readonly pubsub: PubSub;
  /** Records that the workspace is in use, which extends its deadline; the builds feature depends on this one. */
  readonly noteActivity: (workspaceId: string) => Promise<void>;
}

/** The interval between reports, which agents take from every answer (docs/protocol/rpc.md §7.4). */
const reportIntervalMs = 30_000;

/** Stores the report of an agent in use, and tells it when to report again. Idle reports are not stored. */
export async function updateStats(
  { db, pubsub, noteActivity }: StatsNeeds,
  { agent, spend }: Pick<RpcCaller, "agent" | "spend">,
  { stats }: UpdateStatsRequest,
): Promise<MessageInitShape<typeof UpdateStatsResponseSchema>> {
  // Beyond the budget a report changes nothing: if refused, the agent would reconnect and send it again.
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

/** Returns connections by protocol: the first names, and all others under one. */
function keptProtocols(counts: Stats["connectionsByProto"]): Readonly<Record<string, number>> {
  const kept = new Map<string, number>();
  const keep = (name: string, count: bigint): void => {
    kept.set(name, (kept.get(name) ?? 0) + Number(count));
  };
  for (const [name, count] of Object.entries(counts)) {
    const isKept = name.length <= maxProtocolLength && kept.size < maxProtocols;
    keep(isKept ? withoutNul(name) : otherProtocols, count);
  }
  return Object.fromEntries(kept);
}

/** Returns a report as it is stored: under the names of the message, without the metrics. */
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
