/** The time to the first repetition of a SYN, doubled for each further one (RFC 6298 §2.1). */
const firstTimeoutMs = 1000;

/** The time after which an active and a passive open give up. */
const activeLimitMs = 127_000;
const passiveLimitMs = 31_000;

/** The repetitions of our SYN, and the time until its answer. */
export class Handshake {
  readonly #startedAt: number;
  readonly #limitMs: number;
  #sentAt = 0;
  #transmissions = 0;
  #deadline = Number.POSITIVE_INFINITY;
  #isDue = true;

  constructor(kind: "active" | "passive", now: number) {
    this.#startedAt = now;
    this.#limitMs = kind === "active" ? activeLimitMs : passiveLimitMs;
  }

  /** The time of the next `tick`. */
  get deadline(): number {
    return Math.min(this.#deadline, this.#startedAt + this.#limitMs);
  }

  /** Makes our SYN due now: the peer has sent its own, or has repeated it. */
  demand(): void {
    this.#isDue = true;
  }

  /** Returns whether our SYN is due, and marks it as sent. */
  take(now: number): boolean {
    if (!this.#isDue) return false;
    this.#isDue = false;
    this.#sentAt = now;
    this.#deadline = now + firstTimeoutMs * 2 ** Math.min(this.#transmissions, 6);
    this.#transmissions += 1;
    return true;
  }

  /** Repeats our SYN if it is due; false if it is time to give up. */
  tick(now: number): boolean {
    if (now >= this.#startedAt + this.#limitMs) return false;
    if (now >= this.#deadline) this.#isDue = true;
    return true;
  }

  /** Returns the time until the answer; `undefined` if it may answer any of several SYNs. */
  rtt(now: number): number | undefined {
    return this.#transmissions === 1 ? now - this.#sentAt : undefined;
  }
}
