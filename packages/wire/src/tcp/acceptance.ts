/** The receive sequence space (RFC 9293 §3.3.1), as offsets. */
export interface ReceiveSpace {
  /** RCV.NXT. */
  readonly next: number;
  /** The offset of the first byte that the peer may not send. */
  readonly windowEdge: number;
}

/**
 * Returns true if a segment of `length` at `offset` is acceptable: some of it lies in the window (RFC 9293 §3.10.7.4,
 * the first check). A segment that begins at the expected offset always is: a closed window still accepts its
 * acknowledgment, and a FIN, which needs no room.
 */
export function isAcceptable(
  { next, windowEdge }: ReceiveSpace,
  offset: number,
  length: number,
): boolean {
  if (offset === next) return true;
  if (length === 0) return offset > next && offset <= windowEdge;
  return offset < windowEdge && offset + length > next;
}

/** The maximum number of ACKs per second that answer unacceptable segments (RFC 5961 §7). */
const maxPerSecond = 100;

/** Limits the answers to unacceptable segments, so that a third party cannot make two ends answer each other forever. */
export class ReplyLimit {
  #windowStart = 0;
  #count = 0;

  /** Returns true if another answer is allowed, and counts it. */
  take(now: number): boolean {
    if (now - this.#windowStart >= 1000) {
      this.#windowStart = now;
      this.#count = 0;
    }
    this.#count += 1;
    return this.#count <= maxPerSecond;
  }
}
