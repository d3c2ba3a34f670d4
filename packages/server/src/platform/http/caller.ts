import type { Route } from "@slipway/api/contract/route";
import type { FastifyRequest } from "fastify";

import type { RequestOrigin } from "./request-origin.ts";

/** The part of its user's rights that a key grants. */
export interface KeyGrant {
  /** `coder:all` for everything. */
  readonly scopes: readonly string[];
  /** Things as `<type>:<id>`; `*:*` for all. */
  readonly allowList: readonly string[];
  /**
   * The remaining lifetime of an API token, as of the request; undefined for a session, which is extended while it is
   * used.
   */
  readonly secondsLeft: number | undefined;
}

/** The grant of a session: all rights of its user. */
export const fullGrant: KeyGrant = {
  scopes: ["coder:all"],
  allowList: ["*:*"],
  secondsLeft: undefined,
};

/** A user who has presented a session token. */
export interface KnownUser {
  readonly id: string;
  readonly username: string;
  readonly roles: readonly string[];
  /** Id of the session key. */
  readonly keyId: string;
  readonly grant: KeyGrant;
  /** Another user who created the key, and so may be the one who acts. */
  readonly keyCreatedBy?: KeyCreator;
}

export interface KeyCreator {
  readonly id: string;
  readonly username: string;
}

/** A user with the request they make; without one the server acts on their behalf. */
export interface UserCaller extends KnownUser {
  readonly origin: RequestOrigin | undefined;
}

/** An agent that has presented its token, and the build that it belongs to. */
export interface AgentCaller {
  readonly agentId: string;
  readonly agentName: string;
  readonly buildId: string;
  readonly workspaceId: string;
  readonly ownerId: string;
  /** The time at which its token was looked up, by the database's clock. */
  readonly authenticatedAt: string;
}

/**
 * Identifies callers. All methods throw `Unauthenticated` for an unknown caller, `Forbidden` if their key does not
 * allow the route.
 */
export interface Authenticator {
  user(request: FastifyRequest, route: Route): Promise<KnownUser>;
  /** Identifies a user on a route that also accepts workspace proxies (docs/protocol/rest.md §1.3, class U). */
  userOrProxy(request: FastifyRequest, route: Route): Promise<KnownUser>;
  agent(request: FastifyRequest): Promise<AgentCaller>;
  /** Throws `Forbidden` for a user's key that does not cover everything that a request refers to. */
  allow(
    user: KnownUser,
    route: Route,
    request: Pick<FastifyRequest, "params" | "query" | "body">,
  ): Promise<void>;
}
