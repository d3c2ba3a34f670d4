import type { RttEstimator } from "./rtt-estimator.ts";
import type { SentSegment } from "./sent-segment.ts";

/** The information in one ACK about the sent segments: how much has arrived, and how long it took. */
export class Delivery {
  readonly #now: number;
  /** The time of the segment that the ACK answers, in whole milliseconds; undefined without timestamps. */
  readonly #echoedAt: number | undefined;
  #bytes = 0;
  #newestSentAt = Number.NEGATIVE_INFINITY;
  #hasRepeat = false;

  constructor(echoedAt: number | undefined, now: number) {
    this.#echoedAt = echoedAt;
    this.#now = now;
  }

  /** The bytes newly known to have arrived, acknowledged or reported. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a segment. */
  add(segment: SentSegment): void {
    this.#bytes += segment.length;
    if (segment.isRetransmitted) this.#hasRepeat = true;
    else this.#newestSentAt = Math.max(this.#newestSentAt, segment.sentAt);
  }

  /** Adds bytes that have arrived, without knowledge of their segments. */
  addUnknown(byteCount: number): void {
    this.#bytes += byteCount;
  }

  /** Returns true if the ACK answers a segment sent before the latest transmission of this one. */
  isBefore(segment: SentSegment): boolean {
    return this.#echoedAt !== undefined && this.#echoedAt < Math.floor(segment.sentAt);
  }

  /**
   * Measures the RTT, if a segment that was sent once or a timestamp shows it (RFC 6298 §3, RFC 7323 §4.1), and
   * returns it. An ACK of a retransmitted segment may answer that segment, and cover others long after they arrived.
   * An ACK that does not advance, or answers data that the peer had before, echoes an earlier timestamp.
   */
  measure(rtt: RttEstimator, hasNewEcho: boolean, samplesPerRtt: number): number | undefined {
    let rttMs: number | undefined;
    if (!this.#hasRepeat && Number.isFinite(this.#newestSentAt)) {
      rttMs = this.#now - this.#newestSentAt;
    } else if (hasNewEcho && this.#echoedAt !== undefined) {
      rttMs = Math.floor(this.#now) - this.#echoedAt;
    }
    if (rttMs !== undefined) rtt.measured(rttMs, samplesPerRtt, this.#now);
    return rttMs;
  }
}
