import type { IncomingMessage } from "node:http";

import { type Clock, Scope, httpModule, withTimeout } from "@slipway/runtime";

/** An application of the workspace whose health is checked (docs/protocol/agent.md §5.2). */
export interface CheckedApp {
  readonly id: string;
  readonly url: string;
  readonly intervalMs: number;
  readonly threshold: number;
  readonly health: AppHealthState;
}

export type AppHealthState = "initializing" | "healthy" | "unhealthy";

/** The health of an application between two checks. */
export interface HealthRecord {
  readonly health: AppHealthState;
  /** Failures in a row, counted up to the threshold. */
  readonly failures: number;
}

/** The health of each checked application, by its id. */
export type AppHealths = ReadonlyMap<string, AppHealthState>;

/** The dependencies of the checks. */
export interface HealthHost {
  readonly clock: Clock;
  readonly probe: (url: string, timeoutMs: number, signal: AbortSignal) => Promise<boolean>;
  /** Reports all of them to the server, and handles its own failures. */
  readonly report: (healths: AppHealths, signal: AbortSignal) => Promise<void>;
}

const reportIntervalMs = 1000;
const maxRedirects = 10;

/** Checks each application at its interval, and reports all when one has changed. Rejects with the signal's reason. */
export async function runAppHealthChecks(
  apps: readonly CheckedApp[],
  host: HealthHost,
  signal: AbortSignal,
): Promise<void> {
  if (apps.length === 0) return;
  const records = new Map<string, HealthRecord>(
    apps.map(({ id, health }) => [id, { health, failures: 0 }]),
  );
  await using scope = new Scope(signal);
  for (const app of apps) scope.run((ended) => checkRepeatedly(app, records, host, ended));
  scope.run((ended) => reportChanges(records, host, ended));
  await scope.join();
  signal.throwIfAborted();
}

/**
 * Returns the health after a check. One success makes it healthy; it becomes unhealthy with the first failure beyond the
 * threshold.
 */
export function afterCheck(record: HealthRecord, isGood: boolean, threshold: number): HealthRecord {
  if (isGood) return { health: "healthy", failures: 0 };
  if (record.failures < threshold) return { ...record, failures: record.failures + 1 };
  return { ...record, health: "unhealthy" };
}

/** Reports whether the URL answers in time with a status below 500, after redirects. */
export async function probeApp(
  url: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const limit = withTimeout(signal, timeoutMs);
  let target = URL.parse(url);
  try {
    for (let count = 0; target !== null && count <= maxRedirects; count += 1) {
      const response = await get(target, limit);
      response.destroy();
      const status = response.statusCode ?? 0;
      const { location } = response.headers;
      if (status < 300 || status >= 400 || location === undefined) return status < 500;
      target = URL.parse(location, target.href);
    }
  } catch {
    // No answer is a result; the caller notices the agent's shutdown by itself.
  }
  return false;
}

async function checkRepeatedly(
  app: CheckedApp,
  records: Map<string, HealthRecord>,
  { clock, probe }: HealthHost,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await clock.sleep(app.intervalMs, signal);
    const isGood = await probe(app.url, Math.max(1, app.intervalMs - 1), signal);
    signal.throwIfAborted();
    const record = records.get(app.id) ?? { health: app.health, failures: 0 };
    records.set(app.id, afterCheck(record, isGood, app.threshold));
  }
}

async function reportChanges(
  records: ReadonlyMap<string, HealthRecord>,
  { clock, report }: HealthHost,
  signal: AbortSignal,
): Promise<void> {
  let reported = healthsOf(records);
  for (;;) {
    await clock.sleep(reportIntervalMs, signal);
    const healths = healthsOf(records);
    const hasChanged = [...healths].some(([id, health]) => reported.get(id) !== health);
    if (hasChanged) await report(healths, signal);
    reported = healths;
  }
}

function healthsOf(records: ReadonlyMap<string, HealthRecord>): AppHealths {
  return new Map([...records].map(([id, { health }]) => [id, health]));
}

function get(url: URL, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { request } = httpModule(url.protocol !== "https:");
    // A kept connection would make a dead application look alive.
    request(url, { signal, agent: false }, resolve).once("error", reject).end();
  });
}
