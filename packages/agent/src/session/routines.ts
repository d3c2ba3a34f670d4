import { RpcError } from "@slipway/rpc";
import { type Clock, errorText, type Logger, withTimeout } from "@slipway/runtime";
import type { AgentConnection } from "@slipway/sdk/agent";
import { drpcCodeUnimplemented } from "@slipway/wire/drpc/rpc-error";

import type { CommandHost } from "../process/run-command.ts";
import type { LogQueue } from "../scripts/log-queue.ts";
import type { ScriptTiming } from "../scripts/script.ts";
import { sendLogs } from "../scripts/send-logs.ts";
import { runAppHealthChecks, probeApp } from "../stats/app-health.ts";
import { runMetadata } from "../stats/metadata.ts";
import { reportStats } from "../stats/report-stats.ts";
import { memoryUsage, monitorResources, volumeUsage } from "../stats/resources.ts";
import type { Announcements } from "./announcements.ts";
import type { ContainerLife } from "./container-life.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { getMonitorConfig, updateStats } from "./manifest-calls.ts";
import type { AgentManifest } from "./manifest.ts";
import type { NetworkLife } from "./network-life.ts";
import type { Outbox } from "./outbox.ts";
import {
  createLogs,
  deliverReport,
  pushUsage,
  scriptCompleted,
  updateAppHealths,
  updateLifecycle,
  updateMetadata,
} from "./report-calls.ts";
import type { Routine } from "./serve-connection.ts";
import type { ServedSessions } from "./served-sessions.ts";
import type { SocketLife } from "./socket-life.ts";
import type { Workspace } from "./workspace.ts";

/** The parts of a session that the routines use. */
export interface RoutineParts {
  readonly logs: LogQueue;
  readonly lifecycle: Lifecycle;
  readonly timings: Outbox<ScriptTiming>;
  readonly announcements: Announcements;
  readonly served: ServedSessions;
  /** Undefined for an agent without a network. */
  readonly network: NetworkLife | undefined;
  /** Undefined for an agent without a socket. */
  readonly socket: SocketLife | undefined;
  readonly containers: ContainerLife;
  readonly workspace: Workspace;
  readonly commands: CommandHost;
  readonly logger: Logger;
}

/** Returns the routines that run to the very end: the reports of a session, and the socket. */
export function lastingRoutines(parts: RoutineParts): Routine[] {
  const { socket, containers } = parts;
  const reports = [
    ...reportRoutines(parts, (report) => report),
    untilEnd("containers", (connection, signal) => containers.run(connection, signal)),
  ];
  if (socket === undefined) return reports;
  return [...reports, untilEnd("socket", (connection, signal) => socket.run(connection, signal))];
}

/**
 * Returns the last reports of a session whose agent continues as another. The server may no longer know its scripts and log
 * sources: refused reports are dropped.
 */
export function farewellRoutines(parts: RoutineParts): Routine[] {
  return reportRoutines(parts, (report) => async (connection, value, signal) => {
    try {
      return await report(connection, value, signal);
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      parts.logger.debug({ error: errorText(error) }, "last messages refused");
      return undefined;
    }
  });
}

type Report<T, R> = (connection: AgentConnection, value: T, signal: AbortSignal) => Promise<R>;

function reportRoutines(
  { logs, lifecycle, timings, served, commands, logger }: RoutineParts,
  send: <T, R>(report: Report<T, R>) => Report<T, R | undefined>,
): Routine[] {
  const { clock } = commands;
  const storeLogs = send(createLogs);
  const reportState = send(updateLifecycle);
  return [
    untilEnd("logs", (connection, signal) =>
      sendLogs(
        logs,
        async (batch, ended) => (await storeLogs(connection, batch, ended)) ?? "stored",
        { clock, logger, signal },
      ),
    ),
    untilEnd("lifecycle", (connection, signal) =>
      lifecycle.run((change, ended) => reportState(connection, change, ended), signal),
    ),
    untilEnd("timings", async (connection, signal) => {
      await timings.run(
        (timing, ended) =>
          deliverReport((limit) => scriptCompleted(connection, timing, limit), {
            refusal: "script timing refused",
            fields: { scriptId: timing.scriptId },
            logger,
            signal: ended,
          }),
        signal,
      );
    }),
    untilEnd("connections", (connection, signal) => served.report(connection, signal)),
  ];
}

const metadataLimitMs = 30_000;

/** Returns the routines of a session that has not ended, from its latest manifest. */
export function watchingRoutines(
  { workspace, announcements, served, network, commands, logger }: RoutineParts,
  { metadata, apps }: AgentManifest,
): Routine[] {
  const { clock } = commands;
  return [
    untilShutdown("metadata", async (connection, signal) => {
      const host = { commands, prepare: (text: string) => workspace.prepare(text) };
      await runMetadata(
        metadata,
        host,
        (values, ended) => updateMetadata(connection, values, withTimeout(ended, metadataLimitMs)),
        signal,
      );
    }),
    untilShutdown("app health", async (connection, signal) => {
      const report = lenient(logger, "app health", updateAppHealths, connection);
      await runAppHealthChecks(apps, { clock, probe: probeApp, report }, signal);
    }),
    untilShutdown("stats", (connection, signal) =>
      reportStats(
        async ({ isFirst }, ended) => {
          if (isFirst) return updateStats(connection, undefined, ended);
          const latencyMs = await network?.medianLatency(ended);
          return updateStats(connection, { sessions: served.counts, latencyMs }, ended);
        },
        { clock, signal },
      ),
    ),
    untilShutdown("resources", (connection, signal) =>
      watchResources(connection, { clock, logger, signal }),
    ),
    untilShutdown("announcements", (connection, signal) => announcements.run(connection, signal)),
    // It leaves the network after the stop scripts.
    untilEnd("network", async (connection, signal) => network?.run(connection, signal)),
  ];
}

async function watchResources(
  connection: AgentConnection,
  {
    clock,
    logger,
    signal,
  }: { readonly clock: Clock; readonly logger: Logger; readonly signal: AbortSignal },
): Promise<void> {
  const config = await getMonitorConfig(connection, signal);
  const push = lenient(logger, "resources", pushUsage, connection);
  await monitorResources(
    config,
    { clock, memory: () => memoryUsage(), volume: volumeUsage, push },
    signal,
  );
}

/** Returns a report whose refusal is only logged (docs/protocol/agent.md §2.3). A server that does not know it ends the routine. */
function lenient<T>(
  logger: Logger,
  routine: string,
  send: (connection: AgentConnection, value: T, signal: AbortSignal) => Promise<void>,
  connection: AgentConnection,
): (value: T, signal: AbortSignal) => Promise<void> {
  return async (value, signal) => {
    try {
      await send(connection, value, signal);
    } catch (error) {
      if (!(error instanceof RpcError) || error.rpcCode === drpcCodeUnimplemented) throw error;
      logger.warn({ routine, error: errorText(error) }, "report refused");
    }
  };
}

function untilEnd(name: string, run: Routine["run"]): Routine {
  return { name, endsAtShutdown: false, run };
}

function untilShutdown(name: string, run: Routine["run"]): Routine {
  return { name, endsAtShutdown: true, run };
}
