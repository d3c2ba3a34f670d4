/** Bytes that come back at a steady rate, up to a burst; a relay may ask its clients to keep to one. */
export class ByteBudget {
  readonly #perSecond: number;
  readonly #burst: number;
  #bytes: number;
  #filledAtMs: number;

  constructor(perSecond: number, burst: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#bytes = burst;
    this.#filledAtMs = nowMs;
  }

  /** Takes the bytes if all are there; returns whether they were. */
  tryTake(bytes: number, nowMs: number): boolean {
    const filled = this.#bytes + ((nowMs - this.#filledAtMs) / 1000) * this.#perSecond;
    this.#bytes = Math.min(this.#burst, filled);
    this.#filledAtMs = nowMs;
    if (this.#bytes < bytes) return false;
    this.#bytes -= bytes;
    return true;
  }
}
