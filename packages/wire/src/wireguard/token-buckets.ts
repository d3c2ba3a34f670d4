export interface BucketRate {
  readonly perSecond: number;
  /** The maximum burst, in tokens. */
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  filledAt: number;
}

/** Rate limits by name, as many as `maxBuckets`: a full set has no tokens for further names. */
export class TokenBuckets {
  readonly #rate: BucketRate;
  readonly #maxBuckets: number;
  readonly #buckets = new Map<string, Bucket>();
  #sweptAt = Number.NEGATIVE_INFINITY;

  constructor(rate: BucketRate, maxBuckets: number) {
    this.#rate = rate;
    this.#maxBuckets = maxBuckets;
  }

  /** Takes a token; returns false if there is none. */
  take(name: string, now: number): boolean {
    const { perSecond, burst } = this.#rate;
    const bucket = this.#buckets.get(name) ?? this.#add(name, now);
    if (bucket === undefined) return false;
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.filledAt) * perSecond) / 1000);
    bucket.filledAt = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  #add(name: string, now: number): Bucket | undefined {
    if (this.#buckets.size >= this.#maxBuckets) this.#sweep(now);
    if (this.#buckets.size >= this.#maxBuckets) return undefined;
    const bucket = { tokens: this.#rate.burst, filledAt: now };
    this.#buckets.set(name, bucket);
    return bucket;
  }

  /** Forgets the buckets that are full again; throttled, so that not every name without room causes a sweep. */
  #sweep(now: number): void {
    const fillMs = (this.#rate.burst / this.#rate.perSecond) * 1000;
    if (now - this.#sweptAt < fillMs) return;
    this.#sweptAt = now;
    for (const [name, { filledAt }] of this.#buckets) {
      if (now - filledAt >= fillMs) this.#buckets.delete(name);
    }
  }
}
