import { Turnstile } from "@slipway/runtime";
import type { FastifyRequest } from "fastify";

import { HttpError } from "./errors.ts";

/**
 * The number of concurrent requests of a user on this server; the database's pool has room for those of a few users.
 */
const maxAtOnce = 8;

/**
 * Runs a limited number of a user's requests at a time and queues the rest in order of arrival, so that a user with
 * many requests delays only themselves.
 */
export class UserTurns {
  readonly #turnstiles = new Map<string, Turnstile>();

  /** Runs `answer` when it is the user's turn. Throws if the client has disconnected by then. */
  async run<T>(
    userId: string,
    { raw: { socket } }: FastifyRequest,
    answer: () => Promise<T>,
  ): Promise<T> {
    const turnstile = this.#turnstiles.get(userId) ?? new Turnstile((inside) => inside < maxAtOnce);
    this.#turnstiles.set(userId, turnstile);
    try {
      return await turnstile.run(undefined, async () => {
        if (socket.destroyed) throw new HttpError(408, "The client has disconnected.");
        return answer();
      });
    } finally {
      if (turnstile.isEmpty) this.#turnstiles.delete(userId);
    }
  }
}
