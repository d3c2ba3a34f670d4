/** A budget that refills at a steady rate. The unit is the caller's: messages, bytes, microseconds. */
export interface BudgetRate {
  /** The maximum burst. */
  readonly burst: number;
  /** The amount restored each second. */
  readonly perSecond: number;
}

/** Counts usage against a budget. Times are milliseconds of a monotonic clock. */
export class TokenBucket {
  readonly #rate: BudgetRate;
  #left: number;
  #filledAtMs = Number.NEGATIVE_INFINITY;

  /** Creates a full bucket. */
  constructor(rate: BudgetRate) {
    this.#rate = rate;
    this.#left = rate.burst;
  }

  /** Returns the available amount; negative while a debt is being paid. */
  left(nowMs: number): number {
    const { burst, perSecond } = this.#rate;
    const gained = ((nowMs - this.#filledAtMs) / 1000) * perSecond;
    if (gained > 0) {
      this.#left = Math.min(burst, this.#left + gained);
      this.#filledAtMs = nowMs;
    }
    return this.#left;
  }

  isFull(nowMs: number): boolean {
    return this.left(nowMs) >= this.#rate.burst;
  }

  /** Returns the milliseconds until a count can be taken without debt. */
  waitFor(count: number, nowMs: number): number {
    const missing = count - this.left(nowMs);
    return missing <= 0 ? 0 : Math.ceil((missing / this.#rate.perSecond) * 1000);
  }

  /** Takes the whole count if available; returns whether it was. */
  tryTake(count: number, nowMs: number): boolean {
    if (this.left(nowMs) < count) return false;
    this.#left -= count;
    return true;
  }

  /** Takes the count, going into debt if necessary; returns the milliseconds until the debt is paid. */
  take(count: number, nowMs: number): number {
    const waitMs = this.waitFor(count, nowMs);
    this.#left -= count;
    return waitMs;
  }
}

/**
 * Budgets by name, such as one per address. At most `maxBuckets` are kept; while more names are in use, the later
 * ones share one budget, so that inventing names gains nothing.
 */
export class TokenBuckets {
  readonly #rate: BudgetRate;
  readonly #maxBuckets: number;
  readonly #buckets = new Map<string, TokenBucket>();
  readonly #shared: TokenBucket;
  #sweptAtMs = Number.NEGATIVE_INFINITY;

  constructor(rate: BudgetRate, maxBuckets: number) {
    this.#rate = rate;
    this.#maxBuckets = maxBuckets;
    this.#shared = new TokenBucket(rate);
  }

  /** Returns the bucket of a name at this moment. Do not keep it: a full bucket is forgotten. */
  of(name: string, nowMs: number): TokenBucket {
    return this.#buckets.get(name) ?? this.#add(name, nowMs);
  }

  #add(name: string, nowMs: number): TokenBucket {
    if (this.#buckets.size >= this.#maxBuckets) this.#sweep(nowMs);
    if (this.#buckets.size >= this.#maxBuckets) return this.#shared;
    const bucket = new TokenBucket(this.#rate);
    this.#buckets.set(name, bucket);
    return bucket;
  }

  /** Forgets the buckets that are full again; throttled, so that not every name without room causes a sweep. */
  #sweep(nowMs: number): void {
    const { burst, perSecond } = this.#rate;
    if (nowMs - this.#sweptAtMs < (burst / perSecond) * 1000) return;
    this.#sweptAtMs = nowMs;
    for (const [name, bucket] of this.#buckets) {
      if (bucket.isFull(nowMs)) this.#buckets.delete(name);
    }
  }
}
