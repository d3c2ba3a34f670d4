import pLimit from "p-limit";

import { Unavailable } from "../../platform/errors/errors.ts";

/** The number of workspaces that a replica creates at once; more would leave no database connection to others. */
export const atOnce = 4;
/** The most requests that wait for their turn; the last of them waits for seconds. */
export const maxWaiting = 1_000;

/** Creates workspaces in the order of the requests, a few at once. */
export class CreationQueue {
  readonly #limit = pLimit(atOnce);

  /** Runs `make` in its turn. Throws `Unavailable` when too many wait already, and what `make` throws. */
  async run<T>(make: () => Promise<T>): Promise<T> {
    if (this.#limit.pendingCount < maxWaiting) return this.#limit(make);
    throw tooManyWait();
  }
}

/** Returns the refusal of a request that finds the queue full. */
export function tooManyWait(): Unavailable {
  return new Unavailable("Too many workspaces are being created.", {
    detail: "Nothing was created. Try again in a few seconds.",
    retryAfterSeconds: 10,
  });
}
