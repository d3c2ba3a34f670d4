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

/** Finds out who calls. All throw an `HttpError` with status 401 when nobody known does. */
export interface Authenticator {
  user(request: FastifyRequest): Promise<UserCaller>;
  /** A user, where a workspace proxy would be let in too (`rest.md` section 1.3, class U). */
  userOrProxy(request: FastifyRequest): Promise<UserCaller>;
  agent(request: FastifyRequest): Promise<AgentCaller>;
}
