export interface KeepAliveOptions {
  /** The time without a segment from the peer after which it is probed. */
  readonly idleMs: number;
  /** The interval between probes. */
  readonly intervalMs: number;
  /** The number of unanswered probes after which the peer counts as dead. */
  readonly probes: number;
}

/** Probes an idle peer (RFC 9293 §3.8.4). */
export class KeepAlive {
  #options: KeepAliveOptions | undefined;
  #deadline = Number.POSITIVE_INFINITY;
  #probes = 0;
  #isDue = false;

  /** Turns it on or off. */
  set(options: KeepAliveOptions | undefined, now: number): void {
    this.#options = options;
    this.heard(now);
  }

  /** The time of the next `tick`. */
  get deadline(): number {
    return this.#deadline;
  }

  /** Notes a segment from the peer. */
  heard(now: number): void {
    this.#deadline = now + (this.#options?.idleMs ?? Number.POSITIVE_INFINITY);
    this.#probes = 0;
    this.#isDue = false;
  }

  /** Probes if it is time; false if the peer has left too many probes unanswered. */
  tick(now: number): boolean {
    if (this.#options === undefined || now < this.#deadline) return true;
    if (this.#probes >= this.#options.probes) return false;
    this.#probes += 1;
    this.#deadline = now + this.#options.intervalMs;
    this.#isDue = true;
    return true;
  }

  /** Returns whether a segment that the peer must answer is due, and marks it as sent. */
  takeProbe(): boolean {
    const isDue = this.#isDue;
    this.#isDue = false;
    return isDue;
  }
}

/** The longest time between two probes of a closed window (RFC 9293 §3.8.6.1). */
const maxIntervalMs = 60_000;

/** The schedule by which a peer with a closed window is probed. */
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
