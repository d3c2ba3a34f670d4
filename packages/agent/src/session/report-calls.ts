import { RpcError } from "@slipway/rpc";
import { errorText, type LogFields, type Logger, withTimeout } from "@slipway/runtime";
import type { AgentConnection } from "@slipway/sdk/agent";
import { encodeUuid } from "@slipway/wire/bytes/uuid";
import {
  Agent,
  AppHealth,
  Connection_Action,
  Connection_Type,
  Lifecycle_State,
  Log_Level,
  Timing_Stage,
  Timing_Status,
} from "@slipway/wire/protobuf/gen/agent_pb";
import { timestampFromMs, timestampFromNs } from "@slipway/wire/protobuf/time";

import type { ConnectionReport } from "../connections/session-log.ts";
import type { LogBatch } from "../scripts/log-queue.ts";
import type { ScriptTiming } from "../scripts/script.ts";
import type { AppHealths } from "../stats/app-health.ts";
import type { MetadataValue } from "../stats/collect-metadata.ts";
import type { Usage, Datapoint } from "../stats/resources.ts";
import type { LifecycleChange } from "./lifecycle.ts";

/** The time for the server to store a report that is kept until then. */
const deliveryTimeoutMs = 30_000;

interface DeliveryOptions {
  /** The log line about a refusal. */
  readonly refusal: string;
  readonly fields: LogFields;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Delivers a report. A refused report would be refused again, so it is logged and counts as delivered. */
export async function deliverReport(
  send: (signal: AbortSignal) => Promise<void>,
  { refusal, fields, logger, signal }: DeliveryOptions,
): Promise<void> {
  try {
    await send(withTimeout(signal, deliveryTimeoutMs));
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    logger.warn({ ...fields, error: errorText(error) }, refusal);
  }
}

/** Stores a batch of log lines (docs/protocol/rpc.md §7.7). */
export async function createLogs(
  connection: AgentConnection,
  { sourceId, lines }: LogBatch,
  signal: AbortSignal,
): Promise<"stored" | "limit-exceeded"> {
  const request = {
    logSourceId: encodeUuid(sourceId),
    logs: lines.map(({ createdAtNs, level, output }) => ({
      createdAt: timestampFromNs(createdAtNs),
      level: logLevels[level],
      output,
    })),
  };
  const answer = await connection.unary(Agent.method.batchCreateLogs, request, signal);
  return answer.logLimitExceeded ? "limit-exceeded" : "stored";
}

const logLevels = { info: Log_Level.INFO, warn: Log_Level.WARN, error: Log_Level.ERROR } as const;

/** Reports a change of state (docs/protocol/rpc.md §7.3). */
export async function updateLifecycle(
  connection: AgentConnection,
  { state, changedAtMs }: LifecycleChange,
  signal: AbortSignal,
): Promise<void> {
  const lifecycle = { state: lifecycleNumbers[state], changedAt: timestampFromMs(changedAtMs) };
  await connection.unary(Agent.method.updateLifecycle, { lifecycle }, signal);
}

const lifecycleNumbers = {
  starting: Lifecycle_State.STARTING,
  "start-timeout": Lifecycle_State.START_TIMEOUT,
  "start-error": Lifecycle_State.START_ERROR,
  ready: Lifecycle_State.READY,
  "shutting-down": Lifecycle_State.SHUTTING_DOWN,
  "shutdown-timeout": Lifecycle_State.SHUTDOWN_TIMEOUT,
  "shutdown-error": Lifecycle_State.SHUTDOWN_ERROR,
  off: Lifecycle_State.OFF,
} as const;

/** Reports one run of a script (docs/protocol/rpc.md §7.9). */
export async function scriptCompleted(
  connection: AgentConnection,
  timing: ScriptTiming,
  signal: AbortSignal,
): Promise<void> {
  const request = {
    timing: {
      scriptId: encodeUuid(timing.scriptId),
      start: timestampFromMs(timing.startMs),
      end: timestampFromMs(timing.endMs),
      exitCode: timing.exitCode,
      stage: stageNumbers[timing.stage],
      status: statusNumbers[timing.status],
    },
  };
  await connection.unary(Agent.method.scriptCompleted, request, signal);
}

const stageNumbers = {
  start: Timing_Stage.START,
  stop: Timing_Stage.STOP,
  cron: Timing_Stage.CRON,
} as const;

const statusNumbers = {
  ok: Timing_Status.OK,
  "exit-failure": Timing_Status.EXIT_FAILURE,
  "timed-out": Timing_Status.TIMED_OUT,
  "pipes-left-open": Timing_Status.PIPES_LEFT_OPEN,
} as const;

/** Reports collected values (docs/protocol/rpc.md §7.6). */
export async function updateMetadata(
  connection: AgentConnection,
  values: readonly MetadataValue[],
  signal: AbortSignal,
): Promise<void> {
  const metadata = values.map(({ key, value, error, collectedAtMs }) => ({
    key,
    result: { value, error, collectedAt: timestampFromMs(collectedAtMs) },
  }));
  await connection.unary(Agent.method.batchUpdateMetadata, { metadata }, signal);
}

/** Reports the health of all checked applications (docs/protocol/rpc.md §7.5). */
export async function updateAppHealths(
  connection: AgentConnection,
  healths: AppHealths,
  signal: AbortSignal,
): Promise<void> {
  const updates = [...healths].map(([id, health]) => ({
    id: encodeUuid(id),
    health: healthNumbers[health],
  }));
  await connection.unary(Agent.method.batchUpdateAppHealths, { updates }, signal);
}

const healthNumbers = {
  initializing: AppHealth.INITIALIZING,
  healthy: AppHealth.HEALTHY,
  unhealthy: AppHealth.UNHEALTHY,
} as const;

/** Pushes a window of measurements (docs/protocol/rpc.md §7.10). */
export async function pushUsage(
  connection: AgentConnection,
  window: readonly Datapoint[],
  signal: AbortSignal,
): Promise<void> {
  const datapoints = window.map(({ collectedAtMs, memory, volumes }) => ({
    collectedAt: timestampFromMs(collectedAtMs),
    ...(memory === undefined ? {} : { memory: usageMessage(memory) }),
    volumes: volumes.map(({ path, ...usage }) => ({ volume: path, ...usageMessage(usage) })),
  }));
  await connection.unary(Agent.method.pushResourcesMonitoringUsage, { datapoints }, signal);
}

function usageMessage({ used, total }: Usage): { used: bigint; total: bigint } {
  return { used: BigInt(Math.round(used)), total: BigInt(Math.round(total)) };
}

/** Reports the start or the end of a session (docs/protocol/rpc.md §7.11). */
export async function reportConnection(
  connection: AgentConnection,
  report: ConnectionReport,
  signal: AbortSignal,
): Promise<void> {
  const { id, action, type, atMs, ip, statusCode, reason } = report;
  const request = {
    connection: {
      id: encodeUuid(id),
      action: actionNumbers[action],
      type: typeNumbers[type],
      timestamp: timestampFromMs(atMs),
      ip,
      statusCode,
      ...(reason === "" ? {} : { reason }),
    },
  };
  await connection.unary(Agent.method.reportConnection, request, signal);
}

const actionNumbers = {
  connect: Connection_Action.CONNECT,
  disconnect: Connection_Action.DISCONNECT,
} as const;

const typeNumbers = {
  ssh: Connection_Type.SSH,
  vscode: Connection_Type.VSCODE,
  jetbrains: Connection_Type.JETBRAINS,
  "reconnecting-pty": Connection_Type.RECONNECTING_PTY,
  unknown: Connection_Type.UNSPECIFIED,
} as const;
