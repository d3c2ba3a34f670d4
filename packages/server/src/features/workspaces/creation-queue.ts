import pLimit from "p-limit";

import { HttpError } from "../../platform/http/errors.ts";

/**
 * So many are made at once by a replica. More would be slower, as each claim passes over the prebuilds that the others hold, and
 * would leave no connection of the database to the agents of those that are made.
 */
export const atOnce = 4;
/** So many more wait for their turn; that is some ten seconds. */
export const maxWaiting = 1_000;

/** Lets workspaces be made in the order in which they were asked for, a few at once. */
export class CreationQueue {
  readonly #limit = pLimit(atOnce);

  /** Throws the 503 when too many wait already, and what `make` throws. */
  async run<T>(make: () => Promise<T>): Promise<T> {
    if (this.#limit.pendingCount < maxWaiting) return this.#limit(make);
    throw new HttpError(503, "Too many workspaces are being made now.", {
      detail: "Nothing was made; try again in some seconds.",
      headers: { "Retry-After": "10" },
    });
  }
}
