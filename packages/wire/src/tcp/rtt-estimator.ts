/**
 * The minimum time that a retransmission waits beyond the RTT: it covers the peer's delayed ACK. RFC 6298 §2.4 asks
 * for a timeout of at least 1 s, too long for today's paths; Linux uses this value.
 */
const minMarginMs = 200;
/**
 * The longest timeout. RFC 6298 §2.5 allows no less than a minute, for the sake of networks with many connections;
 * after an outage of a tunnel a person waits for it.
 */
const maxTimeoutMs = 10_000;

/** The timeout before the first measurement (RFC 6298 §2.1). */
const initialTimeoutMs = 1000;

/** The time for which the lowest RTT is valid. */
const lowestValidMs = 5 * 60 * 1000;

/** Measures round trips and derives the retransmission timeout (RFC 6298). Times are milliseconds. */
export class RttEstimator {
  #smoothed: number | undefined;
  #variation = 0;
  #lowest = Number.POSITIVE_INFINITY;
  #lowestAt = 0;
  /** The number of times that the timeout has doubled since the last measurement. */
  #backoff = 0;

  /** SRTT; `undefined` before the first measurement. */
  get smoothed(): number | undefined {
    return this.#smoothed;
  }

  /** The lowest RTT of the last minutes; infinite before the first measurement. */
  get lowest(): number {
    return this.#lowest;
  }

  /** RTO, doubled by each `backOff` since the last measurement. */
  get timeout(): number {
    const timeout =
      this.#smoothed === undefined
        ? initialTimeoutMs
        : this.#smoothed + Math.max(minMarginMs, 4 * this.#variation);
    return Math.min(timeout * 2 ** Math.min(this.#backoff, 16), maxTimeoutMs);
  }

  /**
   * Records a measurement of a segment that was sent once. `samplesPerRtt` is the number expected per round trip, so
   * that the average reaches equally far back with many as with one (RFC 7323 appendix G).
   */
  measured(rttMs: number, samplesPerRtt: number, now: number): void {
    this.#backoff = 0;
    if (rttMs <= this.#lowest || now - this.#lowestAt > lowestValidMs) {
      this.#lowest = rttMs;
      this.#lowestAt = now;
    }
    if (this.#smoothed === undefined) {
      this.#smoothed = rttMs;
      this.#variation = rttMs / 2;
      return;
    }
    const samples = Math.max(1, samplesPerRtt);
    const error = Math.abs(this.#smoothed - rttMs);
    this.#variation += (error - this.#variation) / (4 * samples);
    this.#smoothed += (rttMs - this.#smoothed) / (8 * samples);
  }

  /** Doubles the timeout (RFC 6298 §5.5). */
  backOff(): void {
    this.#backoff += 1;
  }

  /** Resets the doubling: the peer has acknowledged new data. */
  resetBackoff(): void {
    this.#backoff = 0;
  }
}
