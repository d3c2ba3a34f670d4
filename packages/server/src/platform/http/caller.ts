import type { Route } from "@slipway/api";
import type { FastifyRequest } from "fastify";

import type { RequestOrigin } from "./request-origin.ts";

/** What a key opens of what its user may do. */
export interface KeyGrant {
  /** `coder:all` for everything. */
  readonly scopes: readonly string[];
  /** Things as `<type>:<id>`; `*:*` for all. */
  readonly allowList: readonly string[];
  /** The time that an API token has left, as of the request; undefined for a session, which lives on while it is used. */
  readonly secondsLeft: number | undefined;
}

/** What a session opens: all that its user may do. */
export const fullGrant: KeyGrant = {
  scopes: ["coder:all"],
  allowList: ["*:*"],
  secondsLeft: undefined,
};

/** A user who has shown a session token. */
export interface KnownUser {
  readonly id: string;
  readonly username: string;
  readonly roles: readonly string[];
  /** Id of the session key. */
  readonly keyId: string;
  readonly grant: KeyGrant;
  /** Another user who made the key, and so may be the one who acts. */
  readonly keyCreatedBy?: KeyCreator;
}

export interface KeyCreator {
  readonly id: string;
  readonly username: string;
}

/** A user who calls, and by which request; without one the server acts for him by itself. */
export interface UserCaller extends KnownUser {
  readonly origin: RequestOrigin | undefined;
}

/** An agent that has shown its token, and the build that it belongs to. */
export interface AgentCaller {
  readonly agentId: string;
  readonly agentName: string;
  readonly buildId: string;
  readonly workspaceId: string;
  readonly ownerId: string;
  /** When its token was looked up, by the database's clock. */
  readonly authenticatedAt: string;
}

/** Finds out who calls. All throw an `HttpError`: 401 when nobody known does, 403 when his key does not open the route. */
export interface Authenticator {
  user(request: FastifyRequest, route: Route): Promise<KnownUser>;
  /** A user, where a workspace proxy would be let in too (docs/protocol/rest.md §1.3, class U). */
  userOrProxy(request: FastifyRequest, route: Route): Promise<KnownUser>;
  agent(request: FastifyRequest): Promise<AgentCaller>;
  /** Throws the 403 of a user's key that does not open all that a request is about. */
  allow(
    user: KnownUser,
    route: Route,
    request: Pick<FastifyRequest, "params" | "query" | "body">,
  ): Promise<void>;
}
