import type { Route } from "@slipway/api";
import type { Clock } from "@slipway/runtime";
import type { FastifyReply, FastifyRequest } from "fastify";

import type { UserCaller } from "./caller.ts";
import { HttpError } from "./errors.ts";
import { addressKey, RateLimiter, type RateState, usualRequestsPerMinute } from "./rate-limit.ts";
import { clientAddress } from "./request-origin.ts";
import { readUuid } from "./uuid.ts";

/** Who a request is counted for: a user, an agent, or whoever has an address. */
export type Counted =
  | { readonly user: UserCaller }
  | { readonly agentId: string }
  | { readonly address: string };

const bypassHeader = "x-coder-bypass-ratelimit";

/** A user or agent may ask this many times the limit of a route, of all that the route is about together. */
const totalFactor = 8;
/** Longest part of a parameter that tells it from others. */
const maxParameterLength = 64;

/**
 * Counts requests by caller and route (docs/protocol/rest.md §1.7), never by how a URL is spelled. Each replica counts for itself.
 *
 * Whoever is known by their address only, such as everybody who is refused, has one count a route. Users and agents have one
 * for each thing that the route is about, and one for all of them, so that nobody gets more by making things up. An agent
 * counts as itself, so that many behind one address do not hinder each other.
 */
export class RequestLimits {
  // Apart, so that none of them can make another one forget.
  readonly #addresses: RateLimiter;
  readonly #callers: RateLimiter;
  readonly #things: RateLimiter;

  constructor(clock: Pick<Clock, "now">) {
    this.#addresses = new RateLimiter(clock);
    this.#callers = new RateLimiter(clock);
    this.#things = new RateLimiter(clock);
  }

  /** Counts a request and says so in the answer's headers; throws the 429 when it is one too many. */
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

  /** Counts a request of a page, which is no route of the contract, by its address. Throws the 429. */
  countPage(page: string, request: FastifyRequest, reply: FastifyReply): void {
    const key = `${addressKey(clientAddress(request))} ${page}`;
    answerLimit(reply, usualRequestsPerMinute, this.#addresses.count(key, usualRequestsPerMinute));
  }

  /** Counts a request that no route has admitted, such as one for a path that is not there: all of an address together. */
  countUnadmitted(request: FastifyRequest, reply: FastifyReply): void {
    this.countPage("unadmitted", request, reply);
  }
}

/** What a request is about: the parameters of its path in one spelling. */
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

/** Owners may ask not to be counted; from anybody else the wish is refused, lest it seem granted. */
function bypasses(request: FastifyRequest, counted: Counted): boolean {
  if (request.headers[bypassHeader] !== "true" || !("user" in counted)) return false;
  if (counted.user.roles.includes("owner")) return true;
  throw new HttpError(428, "Only owners may bypass the rate limit.", {
    detail: `Leave out the header ${bypassHeader}.`,
  });
}
