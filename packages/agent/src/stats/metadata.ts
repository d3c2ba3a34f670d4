import { type Clock, Scope } from "@slipway/runtime";

import { collectMetadata } from "./collect-metadata.ts";
import type { MetadataHost } from "./collect-metadata.ts";
import type { MetadataItem, MetadataValue } from "./metadata-item.ts";
import { MetadataOutbox } from "./metadata-outbox.ts";

export type ReportMetadata = (
  values: readonly MetadataValue[],
  signal: AbortSignal,
) => Promise<void>;

/** The time from the start of one report to the start of the next. */
const reportIntervalMs = 1000;
const idleMs = 60_000;

/**
 * Collects each item in a task of its own and reports the values, one report at a time and at most one a second
 * (docs/protocol/agent.md §5.1). Runs until the signal is aborted or a report fails.
 */
export async function runMetadata(
  items: readonly MetadataItem[],
  host: MetadataHost,
  report: ReportMetadata,
  signal: AbortSignal,
): Promise<void> {
  const { clock } = host.commands;
  const outbox = new MetadataOutbox();
  await using scope = new Scope(signal);
  for (const item of items) {
    scope.run((ended) => collectRepeatedly(item, host, outbox, ended));
  }
  scope.run((ended) => reportRepeatedly(outbox, report, { clock, signal: ended }));
  await scope.join();
  signal.throwIfAborted();
}

async function collectRepeatedly(
  item: MetadataItem,
  host: MetadataHost,
  outbox: MetadataOutbox,
  signal: AbortSignal,
): Promise<void> {
  const { clock } = host.commands;
  const intervalMs = item.intervalSeconds * 1000;
  let dueMs = clock.monotonic();
  for (;;) {
    outbox.put(await collectMetadata(item, host, signal));
    if (intervalMs <= 0) return;
    // A run that took longer than the interval is followed at once by the next, but not by those it skipped.
    dueMs = Math.max(dueMs + intervalMs, clock.monotonic());
    await sleepUntil(dueMs, clock, signal);
  }
}

async function reportRepeatedly(
  outbox: MetadataOutbox,
  report: ReportMetadata,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  for (;;) {
    while (outbox.isEmpty) await outbox.changed.wait(idleMs, clock, signal);
    const startedMs = clock.monotonic();
    await report(outbox.take(), signal);
    await sleepUntil(startedMs + reportIntervalMs, clock, signal);
  }
}

/** An interval may be longer than a timer can wait. */
const maxSleepMs = 3_600_000;

async function sleepUntil(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  for (let rest = ms - clock.monotonic(); rest > 0; rest = ms - clock.monotonic()) {
    await clock.sleep(Math.min(rest, maxSleepMs), signal);
  }
}
