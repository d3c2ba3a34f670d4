/** The information in an ACK during recovery. */
export interface RecoveryAck {
  /** The bytes newly known to have arrived, acknowledged or reported. */
  readonly deliveredBytes: number;
  /** The bytes in flight after it. */
  readonly flyingBytes: number;
  /** True if it acknowledged new data and showed no new loss. */
  readonly isSafe: boolean;
}

/**
 * Spreads the decrease of the window over a recovery (PRR, RFC 6937 with the safe-ACK rule of its successor): sends
 * in proportion to the arrivals, rather than nothing for half a round trip followed by a burst.
 */
export class ProportionalReduction {
  readonly #segmentBytes: number;
  /** The bytes in flight when recovery began. */
  readonly #flightBytes: number;
  #deliveredBytes = 0;
  #sentBytes = 0;

  constructor(segmentBytes: number, flightBytes: number) {
    this.#segmentBytes = segmentBytes;
    this.#flightBytes = Math.max(flightBytes, segmentBytes);
  }

  /** Notes bytes sent during recovery. */
  sent(byteCount: number): void {
    this.#sentBytes += byteCount;
  }

  /** Returns the window after an ACK; the first of a recovery allows at least one segment. */
  window(ack: RecoveryAck, threshold: number, isFirst: boolean): number {
    this.#deliveredBytes += ack.deliveredBytes;
    const allowed = Math.max(this.#allowance(ack, threshold), isFirst ? this.#segmentBytes : 0);
    return ack.flyingBytes + Math.max(0, allowed);
  }

  #allowance({ deliveredBytes, flyingBytes, isSafe }: RecoveryAck, threshold: number): number {
    if (flyingBytes > threshold) {
      const share = Math.ceil((this.#deliveredBytes * threshold) / this.#flightBytes);
      return share - this.#sentBytes;
    }
    const conserved = Math.max(this.#deliveredBytes - this.#sentBytes, deliveredBytes);
    return Math.min(threshold - flyingBytes, conserved + (isSafe ? this.#segmentBytes : 0));
  }
}
