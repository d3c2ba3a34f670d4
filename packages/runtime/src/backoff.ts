import type { Clock } from "./clock.ts";

/** The shape of the delays between attempts, in milliseconds. */
export interface BackoffPolicy {
  readonly firstMs: number;
  readonly maxMs: number;
  /** The growth from one delay to the next, above 1. */
  readonly factor: number;
  /** The random share of each delay, 0 to 1. */
  readonly jitter: number;
}

export const defaultBackoff: BackoffPolicy = {
  firstMs: 100,
  maxMs: 10_000,
  factor: 1.618,
  jitter: 0.2,
};

/** Delays that grow up to a cap, with jitter. Call `reset` after success. Each loop has its own. */
export class Backoff {
  readonly #policy: BackoffPolicy;
  readonly #random: () => number;
  #nextMs: number;

  constructor(policy: BackoffPolicy = defaultBackoff, random: () => number = Math.random) {
    this.#policy = policy;
    this.#random = random;
    this.#nextMs = policy.firstMs;
  }

  /** Returns the delay to wait now, in milliseconds, and increases the next one. */
  next(): number {
    const { jitter, factor, maxMs } = this.#policy;
    const base = Math.min(this.#nextMs, maxMs);
    this.#nextMs = Math.min(base * factor, maxMs);
    return base * (1 - jitter * this.#random());
  }

  reset(): void {
    this.#nextMs = this.#policy.firstMs;
  }
}

export interface RetryOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly policy?: BackoffPolicy;
  /** Decides whether to continue after `error`; attempts count from 1. */
  readonly isRetryable: (error: unknown, attempt: number) => boolean;
}

/** Calls `attempt` until it succeeds, its error is not retryable, or the signal is aborted. */
export async function retry<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const backoff = new Backoff(options.policy);
  for (let count = 1; ; count += 1) {
    options.signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (options.signal.aborted || !options.isRetryable(error, count)) throw error;
      await options.clock.sleep(backoff.next(), options.signal);
    }
  }
}

/** Returns a time shortened at random by up to a third, so that simultaneous starts do not stay in step. */
export function spread(ms: number): number {
  return ms * (1 - Math.random() / 3);
}
