/** The largest value of the window field. */
const maxField = 0xffff;

/**
 * The limit of a new connection's buffer; it grows up to the maximum as the application keeps up with the peer. A
 * window of this size fills 20 ms at 100 Mbit/s.
 */
const initialLimitBytes = 256 * 1024;

/** The RTT assumed if it was never measured. */
const unknownRttMs = 100;

/** Returns the least scale that can represent windows of `bytes` (RFC 7323 §2.2). */
export function scaleFor(bytes: number): number {
  let scale = 0;
  while (scale < 14 && maxField * 2 ** scale < bytes) scale += 1;
  return scale;
}

/*
 *   consumed        next               edge           consumed + limit
 *  ----+-------------+------------------+-------------------+
 *      | to be read  | window           | not yet offered   |
 *
 * The edge never moves back (RFC 9293 §3.8.6: "shrinking the window"), and only by steps that are worth a segment.
 */
/** The window offered to the peer, and the size of the buffer behind it. */
export class ReceiveWindow {
  #maxBytes: number;
  readonly #segmentBytes: number;
  #scale = 0;
  #limit: number;
  #edge: number;
  /** The number of bytes consumed by the application, and the time, when the current measurement of its rate began. */
  #measured: { readonly offset: number; readonly at: number } | undefined;

  /** Creates the window of a connection whose buffer may grow to `maxBytes`. Offsets begin with the SYN's, 0. */
  constructor(maxBytes: number, segmentBytes: number) {
    this.#maxBytes = maxBytes;
    this.#segmentBytes = segmentBytes;
    this.#limit = Math.min(maxBytes, initialLimitBytes);
    this.#edge = 1 + Math.min(this.#limit, maxField);
  }

  /** The offset of the first byte that the peer may not send. */
  get edge(): number {
    return this.#edge;
  }

  /** The current maximum size of the buffer. */
  get limit(): number {
    return this.#limit;
  }

  /** Sets the scale that both ends agreed on, which bounds the window. The windows in SYNs are not scaled. */
  useScale(scale: number): void {
    this.#scale = scale;
    this.#maxBytes = Math.min(this.#maxBytes, maxField * 2 ** scale);
    this.#limit = Math.min(this.#limit, this.#maxBytes);
  }

  /** Returns the value of the window field for a segment sent now, and moves the edge accordingly. */
  take(consumed: number, next: number): number {
    const target = consumed + this.#limit;
    const step = Math.min(this.#limit / 2, this.#segmentBytes);
    if (target - this.#edge >= step) this.#edge = target;
    const field = Math.floor((this.#edge - next) / 2 ** this.#scale);
    if (field <= maxField) return field;
    this.#edge = next + maxField * 2 ** this.#scale;
    return maxField;
  }

  /** Returns true if enough was consumed that the peer should be notified immediately. */
  isUpdateDue(consumed: number, next: number): boolean {
    const gain = consumed + this.#limit - this.#edge;
    const left = this.#edge - next;
    if (left < this.#segmentBytes) return gain >= Math.min(this.#limit / 2, this.#segmentBytes);
    return left < this.#limit / 2 && gain >= this.#limit / 4;
  }

  /**
   * Grows the buffer to twice the consumption of a round trip, so that the window never limits a peer whose data is
   * read promptly.
   */
  adapt(consumed: number, rttMs: number | undefined, now: number): void {
    if (this.#limit === this.#maxBytes) return;
    if (this.#measured === undefined) {
      this.#measured = { offset: consumed, at: now };
      return;
    }
    if (now - this.#measured.at < (rttMs ?? unknownRttMs)) return;
    const wanted = (consumed - this.#measured.offset) * 2;
    if (wanted > this.#limit) this.#limit = Math.min(wanted, this.#maxBytes);
    this.#measured = { offset: consumed, at: now };
  }
}
