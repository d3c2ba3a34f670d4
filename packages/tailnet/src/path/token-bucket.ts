import type { Budget } from "./limits.ts";

/** Counts messages against a budget. */
export class TokenBucket {
  readonly #budget: Budget;
  #tokens: number;
  #filledAt = Number.NEGATIVE_INFINITY;

  constructor(budget: Budget) {
    this.#budget = budget;
    this.#tokens = budget.burst;
  }

  /** Returns whether a message may be sent now, and counts it. */
  take(now: number): boolean {
    if (!this.has(now)) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Returns whether a message may be sent now. */
  has(now: number): boolean {
    const { burst, perSecond } = this.#budget;
    const gained = ((now - this.#filledAt) / 1000) * perSecond;
    if (gained > 0) {
      this.#tokens = Math.min(burst, this.#tokens + gained);
      this.#filledAt = now;
    }
    return this.#tokens >= 1;
  }
}
