import { Turnstile } from "@slipway/runtime";
import type { FastifyRequest } from "fastify";

import { HttpError } from "./errors.ts";

/**
 * The number of concurrent requests of a user on this server; the database's pool has room for those of a few users.
 */
const maxAtOnce = 8;
/** The number of requests of a user that may wait for other machines beside those; further ones wait in their turns. */
const maxWaiting = 64;

interface Turns {
  readonly turnstile: Turnstile;
  /** The number of requests that wait for other machines. */
  waiting: number;
}

/**
 * Runs a limited number of a user's requests at a time and queues the rest in order of arrival, so that a user with
 * many requests delays only themselves.
 */
export class UserTurns {
  readonly #users = new Map<string, Turns>();
  /** The turns of the requests that are in turn. */
  readonly #turnsOf = new WeakMap<FastifyRequest, Turns>();

  /** Runs `answer` when it is the user's turn. Throws if the client has disconnected by then. */
  async run<T>(userId: string, request: FastifyRequest, answer: () => Promise<T>): Promise<T> {
    const turns = this.#users.get(userId) ?? openTurns();
    this.#users.set(userId, turns);
    try {
      return await turns.turnstile.run(undefined, async () => {
        if (request.raw.socket.destroyed) {
          throw new HttpError(408, "The client has disconnected.");
        }
        this.#turnsOf.set(request, turns);
        return answer();
      });
    } finally {
      this.#turnsOf.delete(request);
      if (turns.turnstile.isEmpty && turns.waiting === 0) this.#users.delete(userId);
    }
  }

  /** Waits for another machine on behalf of a request in turn: the user's other requests proceed meanwhile. */
  async waitFor<T>(request: FastifyRequest, answer: () => Promise<T>): Promise<T> {
    const turns = this.#turnsOf.get(request);
    if (turns === undefined || turns.waiting >= maxWaiting) return answer();
    this.#turnsOf.delete(request);
    turns.waiting += 1;
    try {
      return await turns.turnstile.runOutside(answer);
    } finally {
      turns.waiting -= 1;
      this.#turnsOf.set(request, turns);
    }
  }
}

function openTurns(): Turns {
  return { turnstile: new Turnstile((inside) => inside < maxAtOnce), waiting: 0 };
}
