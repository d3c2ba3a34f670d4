import type { Route } from "@slipway/api";
import type { Clock } from "@slipway/runtime";
import type { FastifyReply, FastifyRequest } from "fastify";

import type { UserCaller } from "./caller.ts";
import { HttpError } from "./errors.ts";
import { addressKey, RateLimiter, type RateState, usualRequestsPerMinute } from "./rate-limit.ts";
import { clientAddress } from "./request-origin.ts";

/** Who a request is counted for: a user, an agent, or whoever has an address. */
export type Counted =
  | { readonly user: UserCaller }
  | { readonly agentId: string }
  | { readonly address: string };

const bypassHeader = "x-coder-bypass-ratelimit";

/** Counts requests by caller and route (`rest.md` section 1.7). Each replica counts for itself. */
export class RequestLimits {
  readonly #limiter: RateLimiter;

  constructor(clock: Pick<Clock, "now">) {
    this.#limiter = new RateLimiter(clock);
  }

  /**
   * Counts a request and says so in the answer's headers; throws the 429 when it is one too many. An agent is counted as
   * itself, so that many behind one address do not hinder each other.
   */
  count(route: Route, request: FastifyRequest, reply: FastifyReply, counted: Counted): void {
    if (bypasses(request, counted)) return;
    const limit = route.requestsPerMinute ?? usualRequestsPerMinute;
    const path = request.url.split("?", 1)[0] ?? "";
    const key = `${callerKey(counted)} ${route.method} ${path}`;
    answerLimit(reply, limit, this.#limiter.count(key, limit));
  }

  /**
   * Counts a request that is refused before a route counts it, such as one for a path that is not there: all of an address
   * together. Throws the 429.
   */
  countUnadmitted(request: FastifyRequest, reply: FastifyReply): void {
    const key = `${addressKey(clientAddress(request))} unadmitted`;
    answerLimit(reply, usualRequestsPerMinute, this.#limiter.count(key, usualRequestsPerMinute));
  }
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

function callerKey(counted: Counted): string {
  if ("user" in counted) return counted.user.id;
  return "agentId" in counted ? counted.agentId : addressKey(counted.address);
}

/** Owners may ask not to be counted; from anybody else the wish is refused, lest it seem granted. */
function bypasses(request: FastifyRequest, counted: Counted): boolean {
  if (request.headers[bypassHeader] !== "true" || !("user" in counted)) return false;
  if (counted.user.roles.includes("owner")) return true;
  throw new HttpError(428, "Only owners may bypass the rate limit.", {
    detail: `Leave out the header ${bypassHeader}.`,
  });
}
