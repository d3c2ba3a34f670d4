import type { Route } from "@slipway/api/contract/route";
import type { EmbeddedPostgres } from "@slipway/postgres";

import type { Database } from "../platform/db/database.ts";
import { type Demo, openDemo } from "./demo.ts";
import { openParts, type Progress, type ServerOptions, type ServerParts } from "./open-parts.ts";
import { serve, type ServingParts } from "./serve.ts";

/** A running server. Its creator closes it. */
export interface Server extends AsyncDisposable {
  /** The URL at which agents, people and programs reach it. */
  readonly accessUrl: string;
  readonly db: Database;
  /** The served routes of the contract. */
  readonly routes: readonly Route[];
  /** Creates the demonstration's workspace and waits for it; undefined if no one could own it. */
  openDemo(signal: AbortSignal): Promise<Demo | undefined>;
  /** Returns whether it can run containers now. */
  hasDocker(signal: AbortSignal): Promise<boolean>;
  /** Resolves with a reason when the server cannot continue: its database ended. */
  readonly failed: Promise<string>;
  /**
   * Answers for the time that the settings give proxies to turn to other replicas: the health check fails, and each answer ends
   * its connection. Resolves when that time is over, or the signal aborts.
   */
  drain(signal: AbortSignal): Promise<void>;
  /** Stops serving. Agents keep running, unless `stopAgents` asks to stop them first, gracefully. Idempotent. */
  close(options?: { readonly stopAgents: boolean }): Promise<void>;
  /** Returns the thing that a close in progress waits for, in words. */
  waitsFor(): string;
}

/** The time agents have to stop with the server, in milliseconds. */
const stopAgentsTimeoutMs = 30_000;

/**
 * Opens everything, from the data directory up, and closes it in reverse order. Throws `StartError`, `DatabaseError` or
 * `EmbeddedPostgresError`, with nothing left open.
 */
export async function createServer(options: ServerOptions): Promise<Server> {
  await using opened = new AsyncDisposableStack();
  const progress: Progress = {
    hasStarted: false,
    waitsFor: "builds and other work in the background",
  };
  const parts = await openParts(options, opened, progress);
  const serving = await serve(parts, opened);
  const resources = opened.move();
  progress.hasStarted = true;

  const { settings, platform, localHints, secrets, drivers, metrics, postgres, connections } =
    parts;
  const { http } = serving;
  let closing: Promise<void> | undefined;
  const closeOnce = (stopAgents: boolean): Promise<void> =>
    (closing ??= close(parts, serving, { resources, progress, stopAgents }));
  return {
    accessUrl: http.accessUrl,
    db: platform.db,
    routes: http.routes,
    openDemo: (signal) => {
      const { limits } = settings;
      const { claimSeconds } = metrics;
      return openDemo({ ...platform, localHints, limits, secrets, drivers, claimSeconds }, signal);
    },
    hasDocker: async (signal) => (await parts.docker?.isThere(signal)) ?? false,
    failed: failureOf(postgres),
    waitsFor: () => (connections.statements > 0 ? "the database" : progress.waitsFor),
    drain: async (signal) => {
      const drainMs = settings.limits.maxDrainSeconds * 1000;
      if (drainMs === 0) return;
      progress.waitsFor = "proxies to turn to other servers";
      http.draining.begin();
      // Aborted by a second signal.
      await platform.clock.sleep(drainMs, signal).catch(() => undefined);
    },
    close: ({ stopAgents } = { stopAgents: false }) => closeOnce(stopAgents),
    [Symbol.asyncDispose]: () => closeOnce(false),
  };
}

interface CloseNeeds {
  readonly resources: AsyncDisposableStack;
  readonly progress: Progress;
  readonly stopAgents: boolean;
}

async function close(
  { connections, processDriver }: ServerParts,
  { work }: ServingParts,
  { resources, progress, stopAgents }: CloseNeeds,
): Promise<void> {
  connections.limitSilence();
  progress.waitsFor = "builds and other work in the background";
  // No new work starts; the work that runs can still report its end to the listener.
  await work.close();
  progress.waitsFor = "the workspaces to stop";
  if (stopAgents)
    await processDriver.shutdownAll({
      signal: AbortSignal.timeout(stopAgentsTimeoutMs * 2),
      timeoutMs: stopAgentsTimeoutMs,
    });
  progress.waitsFor = "clients and agents to disconnect";
  await resources.disposeAsync();
}

async function failureOf(postgres: EmbeddedPostgres | undefined): Promise<string> {
  if (postgres === undefined) return new Promise(() => undefined);
  const { code, signal } = await postgres.exited;
  // Only the server that started the database learns more (`PostgresExit`).
  const status = code === null ? "exit status unknown" : `exit code ${code}`;
  return `the embedded PostgreSQL ended (${signal ?? status}); its log is postgres.log in the data directory`;
}
