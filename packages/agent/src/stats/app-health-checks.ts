import { type Clock, Scope } from "@slipway/runtime";

import { afterCheck } from "./app-health.ts";
import type { AppHealthState, CheckedApp, HealthRecord } from "./app-health.ts";

/** Health of every checked application by its id. */
export type AppHealths = ReadonlyMap<string, AppHealthState>;

/** The dependencies of the checks. */
export interface HealthHost {
  readonly clock: Clock;
  readonly probe: (url: string, timeoutMs: number, signal: AbortSignal) => Promise<boolean>;
  /** Reports all of them to the server; handles its own failures. */
  readonly report: (healths: AppHealths, signal: AbortSignal) => Promise<void>;
}

const reportIntervalMs = 1000;

/** Checks each application at its interval, and reports all when one has changed. Ends by the signal. */
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
