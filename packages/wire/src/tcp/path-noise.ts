import type { SegmentSize } from "./segment-limit.ts";

/**
 * The share of a flight that a noisy path may lose in two rounds, at least one segment: more is congestion,
 * regardless of the RTT.
 */
const maxLossShare = 1 / 16;
/** The queueing delay up to which a path counts as empty, and its share of the RTT where that is more. */
const emptyQueueMs = 0.5;
const emptyQueueShare = 1 / 64;
/** The number of recent measurements whose minimum counts, so that a single late ACK does not matter. */
const latestRtts = 4;

/**
 * Distinguishes the losses of a noisy path, such as a wireless one, from those of a full queue: they are few, and
 * occur while the RTT is that of an empty path. If each were treated as congestion, a loss of one in a thousand would
 * leave 100 Mbit/s at 20 ms four fifths idle (RFC 9438 §5.1).
 */
export class PathNoise {
  readonly #segment: SegmentSize;
  /** The offset whose acknowledgment ends the round. */
  #roundEnd = 0;
  #lostBytes = 0;
  #lastLostBytes = 0;
  readonly #rtts: number[] = Array<number>(latestRtts).fill(0);
  #rttIndex = 0;

  constructor(segment: SegmentSize) {
    this.#segment = segment;
  }

  /** Handles an ACK up to `una` with everything below `sentEnd` sent, and its RTT if it was measured. */
  acknowledged(una: number, sentEnd: number, rttMs: number | undefined): void {
    if (una >= this.#roundEnd) {
      this.#roundEnd = sentEnd;
      this.#lastLostBytes = this.#lostBytes;
      this.#lostBytes = 0;
    }
    if (rttMs === undefined) return;
    this.#rtts[this.#rttIndex] = rttMs;
    this.#rttIndex = (this.#rttIndex + 1) % latestRtts;
  }

  /** Returns true if another `lostBytes` of a flight can be attributed to noise. */
  explains(lostBytes: number, flightBytes: number, lowestRttMs: number): boolean {
    this.#lostBytes += lostBytes;
    const most = Math.max(flightBytes * maxLossShare, this.#segment.bytes);
    if (this.#lostBytes + this.#lastLostBytes > most) return false;
    const queueMs = Math.min(...this.#rtts) - lowestRttMs;
    return queueMs <= Math.max(emptyQueueMs, lowestRttMs * emptyQueueShare);
  }
}
