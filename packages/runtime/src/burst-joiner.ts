import type { Clock } from "./clock.ts";

/** The bytes of a burst that are handed on as they come: a key's echo, a prompt, most of a full screen. */
const promptBytes = 8 * 1024;
/** The bytes that are handed on together after that. */
const joinedBytes = 32 * 1024;
/** The longest time for which a piece waits for others, and the silence that ends a burst. */
const waitMs = 1;

export interface BurstJoinerOptions {
  readonly clock: Pick<Clock, "monotonic" | "sleep">;
  /** Ends the waiting: what comes later is not handed on. */
  readonly signal: AbortSignal;
  /** Takes the pieces that lie together. */
  readonly deliver: (pieces: readonly Uint8Array[]) => void;
}

/**
 * Joins the pieces of a stream while many come in a row, so that each costs its takers less; hands them on at once
 * otherwise:
 *
 *   quiet ──8 KiB within a burst──► busy ──1 ms of silence──► quiet
 */
export class BurstJoiner {
  readonly #options: BurstJoinerOptions;
  #pieces: Uint8Array[] = [];
  #waitingBytes = 0;
  #burstBytes = 0;
  #newestAt = Number.NEGATIVE_INFINITY;
  #isTimed = false;

  constructor(options: BurstJoinerOptions) {
    this.#options = options;
  }

  /** Takes a piece, which must not change until it is delivered. */
  add(piece: Uint8Array): void {
    const now = this.#options.clock.monotonic();
    if (now - this.#newestAt > waitMs) this.#burstBytes = 0;
    this.#newestAt = now;
    this.#burstBytes += piece.length;
    this.#pieces.push(piece);
    this.#waitingBytes += piece.length;
    if (this.#burstBytes <= promptBytes || this.#waitingBytes >= joinedBytes) this.flush();
    else if (!this.#isTimed) void this.#flushSoon();
  }

  /** Delivers what waits. */
  flush(): void {
    if (this.#pieces.length === 0) return;
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#waitingBytes = 0;
    this.#options.deliver(pieces);
  }

  async #flushSoon(): Promise<void> {
    const { clock, signal } = this.#options;
    this.#isTimed = true;
    try {
      await clock.sleep(waitMs, signal);
    } catch {
      // Nobody takes it anymore.
      return;
    } finally {
      this.#isTimed = false;
    }
    this.flush();
  }
}
