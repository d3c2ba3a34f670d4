import type { Route } from "@slipway/api/contract/route";
import { type BudgetRate, type Clock, TokenBuckets } from "@slipway/runtime";
import type { FastifyReply, FastifyRequest } from "fastify";

import { addressKey } from "../fields/address.ts";
import { readUuid } from "../fields/uuid.ts";
import type { UserCaller } from "./caller.ts";
import { HttpError } from "./errors.ts";
import { RateLimiter, type RateState, RecentKeys, usualRequestsPerMinute } from "./rate-limit.ts";
import { clientAddress } from "./request-origin.ts";
import { claimedToken } from "./token.ts";

/** The party a request is counted for: a user, an agent, or a client address. */
export type CountedParty =
  | { readonly user: UserCaller }
  | { readonly agentId: string }
  | { readonly address: string };

/** The maximum length by which tokens are distinguished; ours are shorter. */
const maxTokenLength = 64;

const bypassHeader = "x-coder-bypass-ratelimit";

/** A limit, and the state in which it was exceeded. */
interface RefusedRate {
  readonly limit: number;
  readonly state: RateState;
}

/** The multiple of a route's limit that a user or agent has for all things of the route together. */
const totalFactor = 8;
/** The maximum length by which parameters are distinguished. */
const maxParameterLength = 64;
/** The time for which a caller over a limit is refused without being identified again. */
const refusedMs = 1_000;
/** The rate of look-ups of unknown tokens, for an address that was refused too often. */
const lookups: BudgetRate = { burst: 20, perSecond: 20 };
const maxLookupAddresses = 10_000;
/** The time for which an accepted token is distinguished from an invented one. */
const acceptedMs = 600_000;

/**
 * Counts requests by caller and route (docs/protocol/rest.md §1.7), never by the spelling of a URL. Each replica counts
 * for itself.
 *
 * Clients known only by their address, such as all refused ones, have one count per route. Users and agents have one
 * for each thing that the route refers to, and one for all of them, so that inventing names gains nothing. Agents
 * count individually, so that many behind one address do not hinder each other.
 */
export class RequestLimits {
  // Separate, so that none of them can evict the counts of another.
  readonly #addresses: RateLimiter;
  readonly #callers: RateLimiter;
  readonly #things: RateLimiter;
  /** The refusals that hold for a while, so that a request over a limit costs no look-up. */
  readonly #refusals: RecentKeys<RefusedRate>;
  readonly #accepted: RecentKeys<true>;
  readonly #lookups = new TokenBuckets(lookups, maxLookupAddresses);
  readonly #clock: Pick<Clock, "now">;

  constructor(clock: Pick<Clock, "now">) {
    this.#addresses = new RateLimiter(clock);
    this.#callers = new RateLimiter(clock);
    this.#things = new RateLimiter(clock);
    this.#clock = clock;
    this.#refusals = new RecentKeys(clock, refusedMs);
    this.#accepted = new RecentKeys(clock, acceptedMs);
  }

  /**
   * Throws the 429 for a caller who exceeded a limit of the route a moment ago; call it before the caller is
   * identified. Admits few tokens of an address that was refused too often, besides those that were accepted lately.
   */
  refuseRepeated(route: Route, request: FastifyRequest, reply: FastifyReply): void {
    // So it is nearly always: then nothing of the request needs to be read.
    if (this.#refusals.isEmpty) return;
    const caller = callerKey(request);
    const name = nameOf(route);
    const refused =
      this.#refusals.get(`${caller} ${name}`) ??
      this.#refusals.get(`${caller} ${name} ${thingOf(request.params)}`) ??
      this.#refusedAddress(caller, addressOf(request), name);
    if (refused !== undefined) answerLimit(reply, refused.limit, refused.state);
  }

  /** Counts a request and reports it in the answer's headers; throws the 429 if it exceeds the limit. */
  count(route: Route, request: FastifyRequest, reply: FastifyReply, counted: CountedParty): void {
    const limit = route.requestsPerMinute ?? usualRequestsPerMinute;
    const name = nameOf(route);
    const sender = "address" in counted ? addressOf(request) : callerKey(request);
    const refusedKey = `${sender} ${name}`;
    const answer = (max: number, state: RateState, key: string): void => {
      if (state.isExceeded) this.#refusals.set(key, { limit: max, state });
      answerLimit(reply, max, state);
    };
    if ("address" in counted) {
      const key = `${addressKey(counted.address)} ${name}`;
      return answer(limit, this.#addresses.count(key, limit), refusedKey);
    }
    this.#accepted.set(sender, true);
    const isFree = bypasses(request, counted);
    if (isFree === "granted") return;
    const caller = "user" in counted ? counted.user.id : counted.agentId;
    const total = limit * totalFactor;
    answer(total, this.#callers.count(`${caller} ${name}`, total), refusedKey);
    const thing = thingOf(request.params);
    const state = this.#things.count(`${caller} ${name} ${thing}`, limit);
    answer(limit, state, `${refusedKey} ${thing}`);
    if (isFree === "refused") throw noBypass();
  }

  /** Counts a request for a page, which is not a route of the contract, by its address. Throws the 429. */
  countPage(
    page: string,
    request: FastifyRequest,
    reply: FastifyReply,
    limit: number = usualRequestsPerMinute,
  ): void {
    const key = `${addressKey(clientAddress(request))} ${page}`;
    answerLimit(reply, limit, this.#addresses.count(key, limit));
  }

  /** Counts a request that no route has admitted, such as one for an unknown path: all of an address together. */
  countUnadmitted(request: FastifyRequest, reply: FastifyReply): void {
    this.countPage("unadmitted", request, reply);
  }

  #refusedAddress(caller: string, address: string, name: string): RefusedRate | undefined {
    const refused = this.#refusals.get(`${address} ${name}`);
    if (refused === undefined || this.#accepted.get(caller) === true) return undefined;
    const now = this.#clock.now();
    return this.#lookups.of(address, now).tryTake(1, now) ? undefined : refused;
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
 * Returns whether the request is exempt from counting. Owners may ask for that; anyone else who does is refused, so
 * that it does not seem granted.
 */
function bypasses(
  request: FastifyRequest,
  counted: CountedParty,
): "granted" | "refused" | undefined {
  if (request.headers[bypassHeader] !== "true" || !("user" in counted)) return undefined;
  return counted.user.roles.includes("owner") ? "granted" : "refused";
}

function noBypass(): HttpError {
  return new HttpError(428, "Only owners may bypass the rate limit.", {
    detail: `Remove the header ${bypassHeader}.`,
  });
}

function nameOf({ method, path }: Route): string {
  return `${method} ${path}`;
}

/** Returns the key of the caller that a request claims to come from: a token, or else an address. */
function callerKey(request: FastifyRequest): string {
  const token = claimedToken(request);
  return token === undefined ? addressOf(request) : `token ${token.slice(0, maxTokenLength)}`;
}

function addressOf(request: FastifyRequest): string {
  return `address ${addressKey(clientAddress(request))}`;
}
