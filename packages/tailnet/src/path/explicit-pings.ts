import { pingTimeoutMs } from "./timing.ts";

/** The pings of one peer that have a waiter. They are repeated until a pong arrives or the waiter gives up. */
export class ExplicitPings {
  readonly #maxPings: number;
  /** The time at which each was last sent, oldest first. */
  readonly #sentAt = new Map<number, number>();

  constructor(maxPings: number) {
    this.#maxPings = maxPings;
  }

  /** The time at which the first is sent again; undefined if none waits. */
  get nextWake(): number | undefined {
    for (const sentAt of this.#sentAt.values()) return sentAt + pingTimeoutMs;
    return undefined;
  }

  /** Adds a ping that is sent now; returns false if too many wait. */
  add(id: number, now: number): boolean {
    if (this.#sentAt.size >= this.#maxPings) return false;
    this.#sentAt.set(id, now);
    return true;
  }

  /** Returns whether the ping was present. */
  delete(id: number): boolean {
    return this.#sentAt.delete(id);
  }

  /** Returns the pings that are due again, and marks them as sent. */
  takeDue(now: number): readonly number[] {
    const due: number[] = [];
    for (const [id, sentAt] of this.#sentAt) if (now >= sentAt + pingTimeoutMs) due.push(id);
    for (const id of due) {
      this.#sentAt.delete(id);
      this.#sentAt.set(id, now);
    }
    return due;
  }
}
