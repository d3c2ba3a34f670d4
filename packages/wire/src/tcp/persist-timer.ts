/** The longest time between two probes of a closed window (RFC 9293 §3.8.6.1). */
const maxIntervalMs = 60_000;

/** The times at which a peer is asked again whether its window is still closed. */
export class PersistTimer {
  #deadline = Number.POSITIVE_INFINITY;
  #probes = 0;

  get deadline(): number {
    return this.#deadline;
  }

  /** Starts the timer unless it runs. */
  start(timeoutMs: number, now: number): void {
    if (Number.isFinite(this.#deadline)) return;
    this.#probes = 0;
    this.#deadline = now + timeoutMs;
  }

  /** Sets the time of the next probe, twice as far away as the last one was. */
  next(timeoutMs: number, now: number): void {
    this.#probes += 1;
    this.#deadline = now + Math.min(timeoutMs * 2 ** Math.min(this.#probes, 16), maxIntervalMs);
  }

  stop(): void {
    this.#deadline = Number.POSITIVE_INFINITY;
  }
}
