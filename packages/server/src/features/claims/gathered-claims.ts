import { Rotation } from "@slipway/runtime";

import { maxWaiting, tooManyWait } from "./creation-queue.ts";

/**
 * Claims for several requests together; resolves to their results in the order of the requests, undefined for those that
 * are to be served alone.
 */
type ClaimAll<Request, Result> = (
  requests: readonly Request[],
) => Promise<readonly (Result | undefined)[]>;

interface Waiter<Request, Result> {
  readonly request: Request;
  readonly signal: AbortSignal;
  readonly resolve: (result: Result | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** The maximum number of claims in one transaction, the first of which waits for the last. */
export const maxTogether = 64;

/**
 * Gathers claims. A single one is made immediately; those that arrive meanwhile are made together next, users taking
 * turns, so that a user with many requests delays only themselves. A burst thus costs a few transactions, and a single
 * claim is not delayed.
 */
export class GatheredClaims<Request, Result> {
  readonly #claimAll: ClaimAll<Request, Result>;
  readonly #waiting = new Rotation<Waiter<Request, Result>>();
  #count = 0;
  #isClaiming = false;

  constructor(claimAll: ClaimAll<Request, Result>) {
    this.#claimAll = claimAll;
  }

  /**
   * Claims for a request of a user; resolves to undefined if it is to be served alone. Throws `Unavailable` when too many
   * wait already; rejects with the reason of the signal if that is aborted before the request's turn.
   */
  claim(userId: string, request: Request, signal: AbortSignal): Promise<Result | undefined> {
    if (this.#count >= maxWaiting) throw tooManyWait();
    return new Promise((resolve, reject) => {
      this.#waiting.add(userId, { request, signal, resolve, reject });
      this.#count += 1;
      if (!this.#isClaiming) void this.#claimWaiting();
    });
  }

  async #claimWaiting(): Promise<void> {
    this.#isClaiming = true;
    while (this.#count > 0) await this.#claimOnce(this.#take());
    this.#isClaiming = false;
  }

  /** Takes waiting requests, one of each user in turn. */
  #take(): readonly Waiter<Request, Result>[] {
    const taken: Waiter<Request, Result>[] = [];
    this.#waiting.take(
      () => (taken.length === maxTogether ? "stop" : "take"),
      (next) => {
        this.#count -= 1;
        if (next.signal.aborted) next.reject(next.signal.reason);
        else taken.push(next);
      },
    );
    return taken;
  }

  /** Never rejects: each waiter gets its result or the error. */
  async #claimOnce(waiters: readonly Waiter<Request, Result>[]): Promise<void> {
    if (waiters.length === 0) return;
    try {
      const results = await this.#claimAll(waiters.map(({ request }) => request));
      for (const [index, { resolve }] of waiters.entries()) resolve(results[index]);
    } catch (error) {
      for (const { reject } of waiters) reject(error);
    }
  }
}
