/** The ACKs within a second that answer segments which are not acceptable (RFC 5961 §7). */
const maxPerSecond = 100;

/** Limits the answers to segments that are not acceptable, so that nobody can make two ends talk for ever. */
export class ReplyLimit {
  #windowStart = 0;
  #count = 0;

  /** Returns true if another answer may be sent, which then counts. */
  take(now: number): boolean {
    if (now - this.#windowStart >= 1000) {
      this.#windowStart = now;
      this.#count = 0;
    }
    this.#count += 1;
    return this.#count <= maxPerSecond;
  }
}
