/** The payload of a full segment, which may change from one segment to the next. */
export interface SegmentSize {
  readonly bytes: number;
}

/** The payload, options included, that every path takes: IPv6's least MTU less the headers (RFC 8200 §5). */
const safeBytes = 1220;
/** The least payload that a path is said to take: with less, headers would be most of the traffic. */
const leastBytes = 64;
/** The time for which a path that may swallow large segments gets none. */
const cautionMs = 60_000;

/**
 * The size of the segments of a connection: the least of what both ends take, and of what the path between them takes now.
 * If large segments stay unanswered it falls to what every path takes, as a path may change without notice (RFC 8899 §4.3).
 */
export class SegmentLimit implements SegmentSize {
  /** Payloads with their options. */
  #endBytes: number;
  #pathBytes = Number.POSITIVE_INFINITY;
  #optionBytes = 0;
  #cautiousUntil = Number.NEGATIVE_INFINITY;
  #isCautious = false;

  /** Creates the limit of a connection whose own end takes payloads of `ownBytes`. */
  constructor(ownBytes: number) {
    this.#endBytes = ownBytes;
  }

  get bytes(): number {
    const least = Math.min(this.#endBytes, this.#pathBytes);
    return (this.#isCautious ? Math.min(least, safeBytes) : least) - this.#optionBytes;
  }

  /** Takes what the peer's SYN says: the payload that it takes, and the options that each segment has. */
  agree(peerBytes: number, optionBytes: number): void {
    this.#endBytes = Math.min(this.#endBytes, peerBytes);
    this.#optionBytes = optionBytes;
  }

  /** Sets the largest payload that the path takes now. */
  setPath(pathBytes: number): void {
    this.#pathBytes = Math.max(pathBytes, leastBytes);
  }

  /** Sends small segments for a while: the peer does not answer, perhaps because nothing large arrives. */
  beCautious(now: number): void {
    this.#isCautious = true;
    this.#cautiousUntil = now + cautionMs;
  }

  /** Ends the caution in time; to be called before segments are cut. */
  refresh(now: number): void {
    if (this.#isCautious && now >= this.#cautiousUntil) this.#isCautious = false;
  }
}
