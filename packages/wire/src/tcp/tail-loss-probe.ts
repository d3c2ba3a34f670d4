/** The longest time that a peer delays an ACK of a single segment (RFC 8985 §7.2, TLP.max_ack_delay). */
const maxAckDelayMs = 200;
/** The time to the probe before the RTT was measured (RFC 8985 §7.2). */
const unknownProbeMs = 1000;

/*
 *   idle --armed--> armed --PTO--> probing --ACK of the probe--> idle
 */
/**
 * Sends one segment when the ACK of a tail is overdue, so that its loss is detected by an ACK rather than by a
 * timeout (TLP, RFC 8985 §7).
 */
export class TailLossProbe {
  #deadline = Number.POSITIVE_INFINITY;
  /** The outstanding probe: the offset after it, and whether it repeated data. */
  #probe: { readonly end: number; readonly isRepeat: boolean } | undefined;

  get deadline(): number {
    return this.#deadline;
  }

  /** Sets the time of the next probe, unless one is outstanding (RFC 8985 §7.2). */
  arm(smoothedRttMs: number | undefined, flightSegments: number, now: number): void {
    if (this.#probe !== undefined) return;
    const probeMs =
      smoothedRttMs === undefined
        ? unknownProbeMs
        : 2 * smoothedRttMs + (flightSegments === 1 ? maxAckDelayMs : 2);
    this.#deadline = now + probeMs;
  }

  disarm(): void {
    this.#deadline = Number.POSITIVE_INFINITY;
  }

  /** Notes that a probe was sent whose end is `end`. */
  sent(end: number, isRepeat: boolean): void {
    this.#deadline = Number.POSITIVE_INFINITY;
    this.#probe = { end, isRepeat };
  }

  /** Forgets the probe: recovery or a timeout has taken over. */
  forget(): void {
    this.#deadline = Number.POSITIVE_INFINITY;
    this.#probe = undefined;
  }

  /**
   * Handles an ACK (RFC 8985 §7.4). Returns true if it shows that the probe has repaired a loss, to which congestion
   * control must respond as to any other.
   */
  acknowledged(una: number, wasReceivedTwice: boolean, isPlainDuplicate: boolean): boolean {
    const probe = this.#probe;
    if (probe === undefined || una < probe.end) return false;
    if (!probe.isRepeat || wasReceivedTwice) {
      this.#probe = undefined;
      return false;
    }
    if (una > probe.end) {
      this.#probe = undefined;
      return true;
    }
    if (isPlainDuplicate) this.#probe = undefined;
    return false;
  }
}
