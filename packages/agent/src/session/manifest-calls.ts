import type { AgentConnection } from "@slipway/sdk/agent";
import type { MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import { Agent, Startup_Subsystem } from "@slipway/wire/protobuf/gen/agent_pb";
import type { StatsSchema } from "@slipway/wire/protobuf/gen/agent_pb";
import { durationToMs } from "@slipway/wire/protobuf/time";

import type { Subsystem } from "../config/agent-config.ts";
import type { SessionCounts } from "../connections/session-log.ts";
import type { MonitorConfig } from "../stats/resources.ts";
import { readManifest, type AgentManifest, type ExpansionContext } from "./manifest.ts";

/** Fetches the manifest (docs/protocol/rpc.md §7.1). */
export async function getManifest(
  connection: AgentConnection,
  context: ExpansionContext,
  signal: AbortSignal,
): Promise<AgentManifest> {
  return readManifest(await connection.unary(Agent.method.getManifest, {}, signal), context);
}

/** The agent's report of itself at startup. */
export interface StartupReport {
  readonly version: string;
  readonly expandedDirectory: string;
  readonly subsystems: readonly Subsystem[];
}

/** Reports the agent at startup (docs/protocol/rpc.md §7.2). */
export async function updateStartup(
  connection: AgentConnection,
  { version, expandedDirectory, subsystems }: StartupReport,
  signal: AbortSignal,
): Promise<void> {
  const startup = {
    version,
    expandedDirectory,
    subsystems: subsystems.map((name) => subsystemNumbers[name]),
  };
  await connection.unary(Agent.method.updateStartup, { startup }, signal);
}

const subsystemNumbers = {
  envbox: Startup_Subsystem.ENVBOX,
  envbuilder: Startup_Subsystem.ENVBUILDER,
  exectrace: Startup_Subsystem.EXECTRACE,
} as const;

/** Fetches the resources to watch (docs/protocol/rpc.md §7.10). */
export async function getMonitorConfig(
  connection: AgentConnection,
  signal: AbortSignal,
): Promise<MonitorConfig> {
  const answer = await connection.unary(
    Agent.method.getResourcesMonitoringConfiguration,
    {},
    signal,
  );
  return {
    datapoints: answer.config?.numDatapoints ?? 0,
    intervalMs: (answer.config?.collectionIntervalSeconds ?? 0) * 1000,
    watchesMemory: answer.memory?.enabled ?? false,
    volumes: answer.volumes.filter(({ enabled }) => enabled).map(({ path }) => path),
  };
}

/** The value for an unknown latency: −1 µs in milliseconds (docs/protocol/agent.md §5.3). */
const noLatencyMs = -0.001;

/** The sessions of an agent's users, and their latency. */
export interface AgentStats {
  /** The numbers of open sessions. */
  readonly sessions: SessionCounts;
  /** The median round trip to the peers; undefined if none answered. */
  readonly latencyMs: number | undefined;
}

/**
 * Reports stats, or only requests the interval if there are none. Resolves to the interval, in milliseconds
 * (docs/protocol/rpc.md §7.4).
 */
export async function updateStats(
  connection: AgentConnection,
  stats: AgentStats | undefined,
  signal: AbortSignal,
): Promise<number> {
  const request = stats === undefined ? {} : { stats: statsMessage(stats) };
  const answer = await connection.unary(Agent.method.updateStats, request, signal);
  return durationToMs(answer.reportInterval);
}

function statsMessage({
  sessions,
  latencyMs = noLatencyMs,
}: AgentStats): MessageInitShape<typeof StatsSchema> {
  return {
    connectionMedianLatencyMs: latencyMs,
    sessionCountSsh: BigInt(sessions.ssh),
    sessionCountVscode: BigInt(sessions.vscode),
    sessionCountJetbrains: BigInt(sessions.jetbrains),
    sessionCountReconnectingPty: BigInt(sessions["reconnecting-pty"]),
  };
}
