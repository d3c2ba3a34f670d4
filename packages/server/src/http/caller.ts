import type { FastifyRequest } from "fastify";

/** A user who has shown a session token. */
export interface UserCaller {
  readonly id: string;
  readonly username: string;
  readonly roles: readonly string[];
  /** Id of the session key. */
  readonly keyId: string;
}

/** An agent that has shown its token, and the build that it belongs to. */
export interface AgentCaller {
  readonly agentId: string;
  readonly agentName: string;
  readonly buildId: string;
  readonly workspaceId: string;
  readonly ownerId: string;
}

/** Finds out who calls. Both throw an `HttpError` with status 401 when nobody known does. */
export interface Authenticator {
  user(request: FastifyRequest): Promise<UserCaller>;
  agent(request: FastifyRequest): Promise<AgentCaller>;
}
