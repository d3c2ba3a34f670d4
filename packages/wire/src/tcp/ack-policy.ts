/** The longest time that an ACK waits for more data or for our own data; at most 500 ms (RFC 9293 §3.8.6.3). */
export const delayedAckMs = 40;

/**
 * The number of segments at the beginning of a connection that are acknowledged one by one, so that the window of a
 * peer that counts ACKs grows quickly.
 */
const quickSegments = 16;

/**
 * The payload from which a segment may be full: the size of the peer's segments also depends on the path, which may
 * carry less than this end accepts.
 */
const maybeFullBytes = 1208;

/*
 *   none --data--> delayed --40 ms, or two segments that may be full--> due --sent--> none
 *     \--out of order, duplicate, FIN, window to be announced--------^
 */
/** Decides when received data is acknowledged (RFC 5681 §4.2). */
export class AckPolicy {
  #state: "none" | "delayed" | "due" = "none";
  #deadline = Number.POSITIVE_INFINITY;
  #waitingBytes = 0;
  #waitingSegments = 0;
  #quickLeft = quickSegments;

  /** The time at which a delayed ACK becomes due. */
  get deadline(): number {
    return this.#deadline;
  }

  /** True if an ACK must be sent now. */
  get isDue(): boolean {
    return this.#state === "due";
  }

  /** Notes data that arrived in order; `segmentBytes` is the largest payload that this end accepts. */
  received(byteCount: number, segmentBytes: number, now: number): void {
    this.#waitingBytes += byteCount;
    this.#waitingSegments += 1;
    const fullBytes = Math.min(segmentBytes, maybeFullBytes);
    if (this.#quickLeft > 0) {
      this.#quickLeft -= 1;
      this.demand();
    } else if (this.#waitingSegments >= 2 && this.#waitingBytes >= 2 * fullBytes) {
      this.demand();
    } else if (this.#state === "none") {
      this.#state = "delayed";
      this.#deadline = now + delayedAckMs;
    }
  }

  /** Makes an ACK due now. */
  demand(): void {
    this.#state = "due";
    this.#deadline = Number.POSITIVE_INFINITY;
  }

  /** Makes a delayed ACK due if its deadline has passed. */
  tick(now: number): void {
    if (now >= this.#deadline) this.demand();
  }

  /** Notes that a segment acknowledging everything was sent. */
  sent(): void {
    this.#state = "none";
    this.#deadline = Number.POSITIVE_INFINITY;
    this.#waitingBytes = 0;
    this.#waitingSegments = 0;
  }
}
