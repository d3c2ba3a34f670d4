import type { Candidate } from "./candidates.ts";
import { pingTimeoutMs } from "./timing.ts";

/** A ping that waits for its pong. */
export interface SentPing {
  /** The address it was sent to; undefined over the relay. */
  readonly candidate: Candidate | undefined;
  readonly sentAt: number;
  /** The explicit ping that it is part of; undefined for one that was not requested. */
  readonly explicitId: number | undefined;
  /** The length of its packet, if the ping is meant to prove it. */
  readonly provesBytes: number | undefined;
}

/** The pings of one peer that wait for their pongs, oldest first. A full set forgets the oldest. */
export class SentPings {
  readonly #maxPings: number;
  readonly #pings = new Map<string, SentPing>();

  constructor(maxPings: number) {
    this.#maxPings = maxPings;
  }

  /** The time at which the oldest is forgotten; undefined if none waits. */
  get nextExpiry(): number | undefined {
    for (const { sentAt } of this.#pings.values()) return sentAt + pingTimeoutMs;
    return undefined;
  }

  add(transaction: string, ping: SentPing): void {
    this.#pings.set(transaction, ping);
    if (this.#pings.size <= this.#maxPings) return;
    for (const oldest of this.#pings.keys()) {
      this.#pings.delete(oldest);
      return;
    }
  }

  get(transaction: string): SentPing | undefined {
    return this.#pings.get(transaction);
  }

  delete(transaction: string): void {
    this.#pings.delete(transaction);
  }

  /** Removes and returns the pings that are too old to be answered. */
  takeExpired(now: number): readonly SentPing[] {
    const expired: SentPing[] = [];
    for (const [transaction, ping] of this.#pings) {
      if (now < ping.sentAt + pingTimeoutMs) break;
      expired.push(ping);
      this.#pings.delete(transaction);
    }
    return expired;
  }

  clear(): void {
    this.#pings.clear();
  }
}
