/** The payload of a full segment, which may change from one segment to the next. */
export interface SegmentSize {
  readonly bytes: number;
}

/** The payload, options included, that every path carries: IPv6's minimum MTU less the headers (RFC 8200 §5). */
const safeBytes = 1220;
/** The minimum payload that a path may declare: with less, headers would be most of the traffic. */
const leastBytes = 64;
/** The time for which a path that may drop large segments gets none. */
const cautionMs = 60_000;

/**
 * The size of the segments of a connection: the least of what both ends accept and the path carries now. If large
 * segments stay unanswered it falls to what every path carries, as a path may change without notice (RFC 8899 §4.3).
 */
export class SegmentLimit implements SegmentSize {
  /** Payloads with their options. */
  #endBytes: number;
  #pathBytes = Number.POSITIVE_INFINITY;
  #optionBytes = 0;
  #cautiousUntil = Number.NEGATIVE_INFINITY;
  #isCautious = false;

  /** Creates the limit of a connection whose own end accepts payloads of `ownBytes`. */
  constructor(ownBytes: number) {
    this.#endBytes = ownBytes;
  }

  get bytes(): number {
    const least = Math.min(this.#endBytes, this.#pathBytes);
    return (this.#isCautious ? Math.min(least, safeBytes) : least) - this.#optionBytes;
  }

  /** Applies the peer's SYN: the payload that it accepts, and the length of the options in each segment. */
  agree(peerBytes: number, optionBytes: number): void {
    this.#endBytes = Math.min(this.#endBytes, peerBytes);
    this.#optionBytes = optionBytes;
  }

  /** Sets the largest payload that the path carries now. */
  setPath(pathBytes: number): void {
    this.#pathBytes = Math.max(pathBytes, leastBytes);
  }

  /** Sends small segments for a while: the peer does not answer, perhaps because large ones do not arrive. */
  beCautious(now: number): void {
    this.#isCautious = true;
    this.#cautiousUntil = now + cautionMs;
  }

  /** Ends the caution when it is due; must be called before segments are cut. */
  refresh(now: number): void {
    if (this.#isCautious && now >= this.#cautiousUntil) this.#isCautious = false;
  }
}
