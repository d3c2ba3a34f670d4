import type { Route } from "@slipway/api";
import type { Clock } from "@slipway/runtime";
import type { FastifyReply, FastifyRequest } from "fastify";

import type { UserCaller } from "./caller.ts";
import { HttpError } from "./errors.ts";
import { addressKey, RateLimiter, type RateState, usualRequestsPerMinute } from "./rate-limit.ts";
import { clientAddress } from "./request-origin.ts";
import { readUuid } from "./uuid.ts";

/** The party a request is counted for: a user, an agent, or a client address. */
export type Counted =
  | { readonly user: UserCaller }
  | { readonly agentId: string }
  | { readonly address: string };

const bypassHeader = "x-coder-bypass-ratelimit";

/** The multiple of a route's limit that a user or agent has for all things of the route together. */
const totalFactor = 8;
/** The maximum length by which parameters are distinguished. */
const maxParameterLength = 64;

/**
 * Counts requests by caller and route (docs/protocol/rest.md §1.7), never by the spelling of a URL. Each replica counts
 * for itself.
 *
 * Clients known only by their address, such as all refused ones, have one count per route. Users and agents have one
 * for each thing that the route refers to, and one for all of them, so that nobody gains by inventing names. Agents
 * count individually, so that many behind one address do not hinder each other.
 */
export class RequestLimits {
  // Separate, so that none of them can evict the counts of another.
  readonly #addresses: RateLimiter;
  readonly #callers: RateLimiter;
  readonly #things: RateLimiter;

  constructor(clock: Pick<Clock, "now">) {
    this.#addresses = new RateLimiter(clock);
    this.#callers = new RateLimiter(clock);
    this.#things = new RateLimiter(clock);
  }

  /** Counts a request and reports it in the answer's headers; throws the 429 if it exceeds the limit. */
  count(route: Route, request: FastifyRequest, reply: FastifyReply, counted: Counted): void {
    if (bypasses(request, counted)) return;
    const limit = route.requestsPerMinute ?? usualRequestsPerMinute;
    const name = `${route.method} ${route.path}`;
    if ("address" in counted) {
      const key = `${addressKey(counted.address)} ${name}`;
      return answerLimit(reply, limit, this.#addresses.count(key, limit));
    }
    const caller = "user" in counted ? counted.user.id : counted.agentId;
    const total = limit * totalFactor;
    answerLimit(reply, total, this.#callers.count(`${caller} ${name}`, total));
    const key = `${caller} ${name} ${thingOf(request.params)}`;
    answerLimit(reply, limit, this.#things.count(key, limit));
  }

  /** Counts a request for a page, which is not a route of the contract, by its address. Throws the 429. */
  countPage(page: string, request: FastifyRequest, reply: FastifyReply): void {
    const key = `${addressKey(clientAddress(request))} ${page}`;
    answerLimit(reply, usualRequestsPerMinute, this.#addresses.count(key, usualRequestsPerMinute));
  }

  /** Counts a request that no route has admitted, such as one for an unknown path: all of an address together. */
  countUnadmitted(request: FastifyRequest, reply: FastifyReply): void {
    this.countPage("unadmitted", request, reply);
  }
}

/** Returns the thing that a request refers to: the parameters of its path in canonical form. */
function thingOf(params: unknown): string {
  if (typeof params !== "object" || params === null) return "";
  const values = Object.values(params).map((value: unknown) => {
    const text = String(value);
    return readUuid(text) ?? text.toLowerCase().slice(0, maxParameterLength);
  });
  return JSON.stringify(values);
}

function answerLimit(reply: FastifyReply, limit: number, state: RateState): void {
  reply.headers({
    "X-RateLimit-Limit": limit,
    "X-RateLimit-Remaining": state.remaining,
    "X-RateLimit-Reset": state.resetAt,
  });
  if (!state.isExceeded) return;
  throw new HttpError(
    429,
    `You've been rate limited for sending more than ${limit} requests in 1m0s.`,
    { headers: { "Retry-After": "60" } },
  );
}

/**
 * Returns whether the request is exempt from counting. Owners may ask for that; anybody else who does is refused, lest
 * it seem granted.
 */
function bypasses(request: FastifyRequest, counted: Counted): boolean {
  if (request.headers[bypassHeader] !== "true" || !("user" in counted)) return false;
  if (counted.user.roles.includes("owner")) return true;
  throw new HttpError(428, "Only owners may bypass the rate limit.", {
    detail: `Remove the header ${bypassHeader}.`,
  });
}
