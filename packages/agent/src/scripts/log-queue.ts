import { type Clock, Waiters, Wake } from "@slipway/runtime";

export type LogLevel = "info" | "warn" | "error";

/** A line for the server. `createdAtNs` increases strictly within a source, even if the clock goes back. */
export interface LogLine {
  readonly createdAtNs: bigint;
  readonly level: LogLevel;
  readonly output: string;
}

/** Lines of one source that are sent in one call. */
export interface LogBatch {
  readonly sourceId: string;
  readonly lines: readonly LogLine[];
}

/** The limit over all sources; beyond it `room` waits. A line counts as its bytes and `lineOverheadBytes`. */
export const maxQueuedBytes = 1024 * 1024;
/** The limit of a batch, counted the same way (docs/protocol/rpc.md §7.7). */
const maxBatchBytes = 1024 * 1024;
const lineOverheadBytes = 21;
/** The time for which a source waits for more lines after it has sent some. */
const batchingMs = 100;

interface LogSource {
  readonly lines: LogLine[];
  lastCreatedAtNs: bigint;
  lastSentMs: number;
  /** The number of lines in a sent but unanswered batch; it is sent again unchanged. */
  unanswered: number;
}

/**
 * Keeps the log lines of all sources until the server has stored them. A batch stays until it is acknowledged; if the
 * answer is lost, it is sent again unchanged, so that the server recognizes it.
 */
export class LogQueue {
  readonly #clock: Clock;
  readonly #sources = new Map<string, LogSource>();
  readonly #room = new Waiters();
  readonly #emptied = new Waiters();
  /** Woken when there are new lines to send. */
  readonly changed = new Wake();
  #bytes = 0;
  #isFlushing = false;
  #isClosed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** True once the server accepts no more lines; later ones are dropped. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  /** Resolves when there is room, or the signal is aborted. Writers wait for it first. */
  async room(signal: AbortSignal): Promise<void> {
    while (this.#bytes > maxQueuedBytes && !signal.aborted) {
      await this.#room.next(signal);
    }
  }

  push(sourceId: string, level: LogLevel, outputs: readonly string[]): void {
    if (this.#isClosed || outputs.length === 0) return;
    const source = this.#source(sourceId);
    for (const output of outputs) {
      const nowNs = BigInt(Math.floor(this.#clock.now())) * 1_000_000n;
      const createdAtNs = nowNs > source.lastCreatedAtNs ? nowNs : source.lastCreatedAtNs + 1n;
      source.lastCreatedAtNs = createdAtNs;
      source.lines.push({ createdAtNs, level, output });
      this.#bytes += countBytes(output);
    }
    this.changed.wake();
  }

  /** Returns the batch that is due now, or the milliseconds until there is one. Its lines stay until `acknowledge`. */
  next(): LogBatch | { readonly waitMs: number } {
    const nowMs = this.#clock.monotonic();
    let due: [string, LogSource] | undefined;
    for (const entry of this.#sources) {
      const [, source] = entry;
      if (source.lines.length > 0 && (due === undefined || source.lastSentMs < due[1].lastSentMs)) {
        due = entry;
      }
    }
    if (due === undefined) return { waitMs: Number.POSITIVE_INFINITY };
    const [sourceId, source] = due;
    const waitMs = source.lastSentMs + batchingMs - nowMs;
    if (waitMs > 0 && !this.#isFlushing && source.unanswered === 0) return { waitMs };
    source.lastSentMs = nowMs;
    source.unanswered ||= countForBatch(source.lines);
    return { sourceId, lines: source.lines.slice(0, source.unanswered) };
  }

  /** Removes a batch that the server has stored. */
  acknowledge({ sourceId, lines }: LogBatch): void {
    const source = this.#sources.get(sourceId);
    if (source === undefined) return;
    source.lines.splice(0, lines.length);
    source.unanswered = 0;
    for (const { output } of lines) this.#bytes -= countBytes(output);
    if (this.#bytes <= maxQueuedBytes) this.#room.wakeAll();
    if (this.isEmpty) {
      this.#isFlushing = false;
      this.#emptied.wakeAll();
    }
  }

  /** Sends without waiting for more lines until the queue is empty. Resolves then, or once the signal is aborted. */
  async flush(signal: AbortSignal): Promise<void> {
    while (!this.isEmpty && !signal.aborted) {
      this.#isFlushing = true;
      this.changed.wake();
      await this.#emptied.next(signal);
    }
  }

  /** Closes the queue because the server accepts no more lines: drops queued and later ones. */
  close(): void {
    this.#isClosed = true;
    this.#sources.clear();
    this.#bytes = 0;
    this.#room.wakeAll();
    this.#emptied.wakeAll();
  }

  #source(sourceId: string): LogSource {
    let source = this.#sources.get(sourceId);
    if (source === undefined) {
      source = {
        lines: [],
        lastCreatedAtNs: 0n,
        lastSentMs: Number.NEGATIVE_INFINITY,
        unanswered: 0,
      };
      this.#sources.set(sourceId, source);
    }
    return source;
  }
}

function countBytes(output: string): number {
  return Buffer.byteLength(output) + lineOverheadBytes;
}

function countForBatch(lines: readonly LogLine[]): number {
  let bytes = 0;
  let count = 0;
  for (const { output } of lines) {
    bytes += countBytes(output);
    if (bytes > maxBatchBytes && count > 0) break;
    count += 1;
  }
  return count;
}
