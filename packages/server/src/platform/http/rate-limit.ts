import type { Clock } from "@slipway/runtime";

/** The default number of requests per window by one caller to one path (docs/protocol/rest.md §1.7). */
export const usualRequestsPerMinute = 512;
const windowMs = 60_000;
/**
 * The maximum number of separate counts of callers and paths, about 20 MB in total. Beyond it the oldest are forgotten.
 */
const maxCounted = 50_000;

/** A caller's remaining allowance after a request. */
export interface RateState {
  readonly isExceeded: boolean;
  readonly remaining: number;
  /** The end of the window, in Unix seconds. */
  readonly resetAt: number;
}

/**
 * Counts requests in a sliding window: those of the current minute, plus those of the previous minute in proportion to
 * its share of the last 60 seconds. Each replica counts for itself.
 */
export class RateLimiter {
  readonly #clock: Pick<Clock, "now">;
  #window = 0;
  #current = new Map<string, number>();
  #previous = new Map<string, number>();

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** Counts one request, unless it exceeds the limit. */
  count(key: string, limit: number): RateState {
    const now = this.#clock.now();
    this.#turn(Math.floor(now / windowMs));
    const remainingShare = 1 - (now % windowMs) / windowMs;
    const before = Math.floor((this.#previous.get(key) ?? 0) * remainingShare);
    const current = this.#current.get(key) ?? 0;
    const isExceeded = before + current >= limit;
    if (!isExceeded) this.#set(key, current + 1);
    return {
      isExceeded,
      remaining: isExceeded ? 0 : limit - before - current - 1,
      resetAt: ((this.#window + 1) * windowMs) / 1000,
    };
  }

  /** Takes back one request that was counted in this window but should not count after all. */
  takeBack(key: string): void {
    const count = this.#current.get(key) ?? 0;
    if (count > 1) this.#current.set(key, count - 1);
    else this.#current.delete(key);
  }

  /** The number of separate counts. */
  get size(): number {
    return this.#current.size + this.#previous.size;
  }

  #turn(window: number): void {
    if (window === this.#window) return;
    this.#previous = window === this.#window + 1 ? this.#current : new Map();
    this.#current = new Map();
    this.#window = window;
  }

  #set(key: string, count: number): void {
    this.#current.set(key, count);
    if (this.#current.size <= maxCounted) return;
    const [oldest] = this.#current.keys();
    if (oldest !== undefined) this.#current.delete(oldest);
  }
}

/** The maximum number of remembered keys; beyond it the oldest are forgotten. */
const maxKeys = 50_000;

/** Values by key, each remembered for a while. */
export class RecentKeys<T> {
  readonly #clock: Pick<Clock, "now">;
  readonly #rememberedMs: number;
  readonly #entries = new Map<string, { readonly value: T; readonly until: number }>();
  /** The end of the newest entry; all are remembered equally long. */
  #lastUntil = Number.NEGATIVE_INFINITY;

  constructor(clock: Pick<Clock, "now">, rememberedMs: number) {
    this.#clock = clock;
    this.#rememberedMs = rememberedMs;
  }

  /** True if no key is remembered, whatever it is. */
  get isEmpty(): boolean {
    return this.#clock.now() >= this.#lastUntil;
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && this.#clock.now() < entry.until ? entry.value : undefined;
  }

  set(key: string, value: T): void {
    // The oldest come first.
    this.#entries.delete(key);
    const until = this.#clock.now() + this.#rememberedMs;
    this.#entries.set(key, { value, until });
    this.#lastUntil = Math.max(this.#lastUntil, until);
    if (this.#entries.size <= maxKeys) return;
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }
}
