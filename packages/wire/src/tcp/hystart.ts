import type { SegmentSize } from "./segment-limit.ts";

/** Constants of RFC 9406 §4.3. */
const minThresholdMs = 4;
const maxThresholdMs = 16;
const thresholdDivisor = 8;
const samplesPerRound = 8;
const conservativeDivisor = 4;
const conservativeRounds = 5;
/** L without pacing: the maximum growth per ACK, in segments. */
const maxGrowthSegments = 8;

/*
 *   slow start --RTT of a round rose--> conservative --5 rounds--> done
 *        ^-------RTT fell below that----------/
 */
type Phase =
  | { readonly type: "slow-start" }
  | { readonly type: "conservative"; readonly baselineRttMs: number; rounds: number }
  | { readonly type: "done" };

/** Decides how fast the first slow start grows and when it ends before a loss (HyStart++, RFC 9406). */
export class HyStart {
  readonly #segment: SegmentSize;
  #phase: Phase = { type: "slow-start" };
  /** The offset whose acknowledgment ends the round. */
  #roundEnd = 0;
  #lastRoundRttMs = Number.POSITIVE_INFINITY;
  #roundRttMs = Number.POSITIVE_INFINITY;
  #samples = 0;

  constructor(segment: SegmentSize) {
    this.#segment = segment;
  }

  /** True if slow start must give way to congestion avoidance. */
  get isDone(): boolean {
    return this.#phase.type === "done";
  }

  /**
   * Handles an ACK up to `una` with everything below `sentEnd` sent, and its RTT if it was measured. Returns the
   * bytes by which the congestion window grows.
   */
  acknowledged(
    una: number,
    sentEnd: number,
    ackedBytes: number,
    rttMs: number | undefined,
  ): number {
    if (una >= this.#roundEnd) this.#startRound(sentEnd);
    if (rttMs !== undefined) {
      this.#roundRttMs = Math.min(this.#roundRttMs, rttMs);
      this.#samples += 1;
      if (this.#samples >= samplesPerRound) this.#compareRounds();
    }
    const growth = Math.min(ackedBytes, maxGrowthSegments * this.#segment.bytes);
    return this.#phase.type === "conservative" ? growth / conservativeDivisor : growth;
  }

  #startRound(sentEnd: number): void {
    this.#roundEnd = sentEnd;
    this.#lastRoundRttMs = this.#roundRttMs;
    this.#roundRttMs = Number.POSITIVE_INFINITY;
    this.#samples = 0;
    if (this.#phase.type !== "conservative") return;
    this.#phase.rounds += 1;
    if (this.#phase.rounds >= conservativeRounds) this.#phase = { type: "done" };
  }

  #compareRounds(): void {
    if (this.#phase.type === "conservative") {
      if (this.#roundRttMs < this.#phase.baselineRttMs) this.#phase = { type: "slow-start" };
      return;
    }
    if (this.#phase.type === "done" || !Number.isFinite(this.#lastRoundRttMs)) return;
    const threshold = this.#lastRoundRttMs / thresholdDivisor;
    const bounded = Math.max(minThresholdMs, Math.min(threshold, maxThresholdMs));
    if (this.#roundRttMs >= this.#lastRoundRttMs + bounded) {
      this.#phase = { type: "conservative", baselineRttMs: this.#roundRttMs, rounds: 0 };
    }
  }
}
