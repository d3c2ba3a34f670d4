import { Turnstile } from "@slipway/runtime";
import type { FastifyRequest } from "fastify";

import { HttpError } from "./errors.ts";

/** Requests of a user that are answered at once on this server; the database's pool has place for those of a few. */
const maxAtOnce = 8;

/**
 * Lets in so many requests of a user, and the others in the order in which they came, so that one who asks for a lot
 * waits for themselves and not the others for them.
 */
export class UserTurns {
  readonly #turnstiles = new Map<string, Turnstile>();

  /** Answers when it is the user's turn. Throws for a client that has gone by then. */
  async run<T>(
    userId: string,
    { raw: { socket } }: FastifyRequest,
    answer: () => Promise<T>,
  ): Promise<T> {
    const turnstile = this.#turnstiles.get(userId) ?? new Turnstile((inside) => inside < maxAtOnce);
    this.#turnstiles.set(userId, turnstile);
    try {
      return await turnstile.run(undefined, async () => {
        if (socket.destroyed) throw new HttpError(408, "The client has gone.");
        return answer();
      });
    } finally {
      if (turnstile.isEmpty) this.#turnstiles.delete(userId);
    }
  }
}
