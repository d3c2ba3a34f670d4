import type { Clock } from "./clock.ts";

/** The bytes of a burst that are delivered immediately: a key's echo, a prompt, most of a full screen. */
const promptBytes = 8 * 1024;
/** The bytes that are delivered together after that. */
const joinedBytes = 60 * 1024;
/** The longest time for which bytes wait for others, and the silence that ends a burst. */
const waitMs = 1;

export interface BurstTimerOptions {
  readonly clock: Pick<Clock, "monotonic" | "sleep">;
  /** Ends the waiting: later bytes are not delivered. */
  readonly signal: AbortSignal;
  /** Delivers all bytes that have arrived. */
  readonly deliver: () => void;
}

/**
 * Decides when the bytes of a stream are delivered: together while many arrive in a row, so that they cost their
 * recipients less, and immediately otherwise:
 *
 *   quiet ──8 KiB within a burst──► busy ──1 ms of silence──► quiet
 */
export class BurstTimer {
  readonly #options: BurstTimerOptions;
  #waitingBytes = 0;
  #burstBytes = 0;
  #newestAt = Number.NEGATIVE_INFINITY;
  #sleep: AbortController | undefined;

  constructor(options: BurstTimerOptions) {
    this.#options = options;
    options.signal.addEventListener("abort", () => this.#sleep?.abort(), { once: true });
  }

  /** Notes bytes that have arrived. */
  add(bytes: number): void {
    const now = this.#options.clock.monotonic();
    if (now - this.#newestAt > waitMs) this.#burstBytes = 0;
    this.#newestAt = now;
    this.#burstBytes += bytes;
    this.#waitingBytes += bytes;
    if (this.#burstBytes <= promptBytes || this.#waitingBytes >= joinedBytes) this.flush();
    else if (this.#sleep === undefined) void this.#flushSoon();
  }

  /** Delivers the waiting bytes. */
  flush(): void {
    this.#sleep?.abort();
    this.#sleep = undefined;
    if (this.#waitingBytes === 0) return;
    this.#waitingBytes = 0;
    this.#options.deliver();
  }

  async #flushSoon(): Promise<void> {
    const { clock, signal } = this.#options;
    if (signal.aborted) return;
    const sleep = new AbortController();
    this.#sleep = sleep;
    try {
      await clock.sleep(waitMs, sleep.signal);
    } catch {
      // The bytes were already delivered, or have no recipient anymore.
      return;
    }
    this.flush();
  }
}
