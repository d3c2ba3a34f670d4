import type { SegmentSize } from "./segment-limit.ts";

/**
 * The factors by which pacing exceeds one window per round trip: the window may grow, and late timers are made up
 * for.
 */
const slowStartGain = 2;
const steadyGain = 1.25;

/** The bytes that may go out together: the backlog of a late timer, and a few segments that are not large. */
const burstMs = 1;
const burstSegments = 4;
const maxBurstBytes = 16 * 1024;

/**
 * Spreads the congestion window over the round trip, so that a burst does not overrun a short queue on the path while
 * the path is mostly idle.
 */
export class Pacer {
  readonly #segment: SegmentSize;
  /** The time until which sent data has used up the rate. */
  #usedUntil = Number.NEGATIVE_INFINITY;
  #deadline = Number.POSITIVE_INFINITY;

  constructor(segment: SegmentSize) {
    this.#segment = segment;
  }

  /** The time at which a waiting segment may go; infinite if none waits. */
  get deadline(): number {
    return this.#deadline;
  }

  /** Returns true if a segment may go out now. */
  allows(now: number): boolean {
    this.#deadline = this.#usedUntil > now ? this.#usedUntil : Number.POSITIVE_INFINITY;
    return this.#usedUntil <= now;
  }

  /** Forgets a waiting segment that is due: it will be requested again. */
  tick(now: number): void {
    if (now >= this.#deadline) this.#deadline = Number.POSITIVE_INFINITY;
  }

  /** Notes a segment sent with the current window. */
  sent(
    byteCount: number,
    windowBytes: number,
    isSlowStart: boolean,
    rttMs: number,
    now: number,
  ): void {
    const gain = isSlowStart ? slowStartGain : steadyGain;
    const bytesPerMs = (gain * windowBytes) / Math.max(rttMs, 0.001);
    const burstBytes = Math.min(burstSegments * this.#segment.bytes, maxBurstBytes);
    const creditMs = Math.max(burstMs, burstBytes / bytesPerMs);
    this.#usedUntil = Math.max(this.#usedUntil, now - creditMs) + byteCount / bytesPerMs;
  }
}
