import { type Clock, Scope, Wake } from "@slipway/runtime";

import {
  collectMetadata,
  type MetadataHost,
  type MetadataItem,
  type MetadataValue,
} from "./collect-metadata.ts";

export type ReportMetadata = (
  values: readonly MetadataValue[],
  signal: AbortSignal,
) => Promise<void>;

/** The time from the start of one report to the start of the next. */
const reportIntervalMs = 1000;
const idleMs = 60_000;

/**
 * Collects each item in its own task and reports the values, one report at a time and at most one per second
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
    // A run that took longer than the interval is followed immediately by the next, but not by the skipped ones.
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

/** The maximum number of bytes of the keys in a report; a server refuses more (docs/protocol/rpc.md §7.6). */
const maxKeyBytes = 6144;
/** The maximum number of bytes of the values in a report; a message has at most 4 MiB. */
const maxValueBytes = 1024 * 1024;

/** The latest unreported value of each key. */
export class MetadataOutbox {
  readonly #values = new Map<string, MetadataValue>();
  readonly changed = new Wake();

  get isEmpty(): boolean {
    return this.#values.size === 0;
  }

  put(value: MetadataValue): void {
    // A repeated key goes to the end, so that none starves.
    this.#values.delete(value.key);
    this.#values.set(value.key, value);
    this.changed.wake();
  }

  /** Removes and returns as many values as one report may hold. */
  take(): MetadataValue[] {
    const taken: MetadataValue[] = [];
    let keyBytes = 0;
    let valueBytes = 0;
    for (const value of this.#values.values()) {
      keyBytes += Buffer.byteLength(value.key);
      valueBytes += Buffer.byteLength(value.value) + Buffer.byteLength(value.error);
      if (taken.length > 0 && (keyBytes > maxKeyBytes || valueBytes > maxValueBytes)) break;
      taken.push(value);
      this.#values.delete(value.key);
    }
    return taken;
  }
}
