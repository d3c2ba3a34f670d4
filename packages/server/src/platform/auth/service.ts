import type { Route } from "@slipway/api/contract/route";
import type { ScopeName } from "@slipway/api/contract/scopes";
import type { FastifyRequest } from "fastify";

import type { Database, Queryable } from "../db/database.ts";
import { GatheredLookups } from "../db/gathered-lookups.ts";
import { Invalid, Unauthenticated } from "../errors/errors.ts";
import type { AgentCaller, Authenticator, KnownUser } from "../http/caller.ts";
import { needsHttps } from "../http/same-origin.ts";
import { findToken } from "../http/token.ts";
import { readUuid } from "../fields/uuid.ts";
import { GatheredReads } from "../pubsub/gathered-reads.ts";
import { hashAgentToken } from "./agent-token.ts";
import { requireRoute, requireThings } from "./key-limits.ts";
import {
  activateDormant,
  findKey,
  insertKey,
  isOfStoppedWorkspace,
  type LiveAgent,
  selectLiveAgents,
  touchKey,
} from "./queries.ts";
import { createSessionKey, isSecretOf, parseSessionToken } from "./session-key.ts";
import type { TokenLimits } from "./token-lifetime.ts";

const daySeconds = 24 * 3600;

/** Lifetimes of session keys in seconds (docs/protocol/clients.md §5.1). */
export const keyLifetimes = { browserSession: daySeconds, commandSession: 7 * daySeconds } as const;

/**
 * Creates a session key and resolves to its token, which is not stored. `createdBy` is another user who creates it for
 * this one.
 */
export async function createSession(
  db: Queryable,
  userId: string,
  lifetimeSeconds: number,
  createdBy?: string,
): Promise<string> {
  const key = createSessionKey();
  await insertKey(db, { key, userId, lifetimeSeconds, createdBy, token: undefined });
  return key.token;
}

export interface NewApiToken {
  readonly userId: string;
  readonly name: string;
  readonly lifetimeSeconds: number;
  readonly scopes: readonly ScopeName[];
  readonly allowList: readonly string[];
  /** Another user who creates it for this one. */
  readonly createdBy: string | undefined;
}

/** Creates an API token with a fixed lifetime and resolves to it; it is not stored. */
export async function createApiToken(db: Queryable, input: NewApiToken): Promise<string> {
  const { userId, name, lifetimeSeconds, scopes, allowList, createdBy } = input;
  const key = createSessionKey();
  const token = { name, scopes, allowList };
  await insertKey(db, { key, userId, lifetimeSeconds, createdBy, token });
  return key.token;
}

/** Authenticates callers against the database (docs/protocol/rest.md §1.2 to §1.4). */
export function createAuthenticator(
  db: Database,
  accessUrl: () => string,
  limits: TokenLimits,
): Authenticator {
  const reads = new GatheredReads<Awaited<ReturnType<typeof findKey>>>();
  const keys: KeyNeeds = {
    db,
    findKey: (id) => reads.read(id, () => findKey(db, id, limits)),
  };
  const agents = new GatheredLookups((hashes) => selectLiveAgents(db, hashes));
  const tokenOf = (request: FastifyRequest): string | undefined =>
    findToken(request, needsHttps(request, accessUrl()))?.token;
  return {
    user: async (request, route) =>
      opening(route, await authenticateUser(keys, tokenOf(request), accessUrl())),
    userOrProxy: async (request, route) =>
      opening(route, await authenticateUserOrProxy(keys, request, tokenOf(request))),
    allow: (user, route, request) => requireThings(db, user, route, request),
    agent: (request) => authenticateAgent(db, agents, findAgentToken(request)),
  };
}

/** Finds the users of credentials that are presented elsewhere than to a route of the API. */
export interface KeyHolders {
  /** Returns the user of a session token; undefined if it is not valid. */
  ofToken(token: string): Promise<KnownUser | undefined>;
  /** Returns the user of a session key that was checked before; undefined if it has ended. */
  ofKey(keyId: string): Promise<KnownUser | undefined>;
}

export function createKeyHolders(db: Database, limits: TokenLimits): KeyHolders {
  const keys: KeyNeeds = { db, findKey: (id) => findKey(db, id, limits) };
  const accept = async (key: KeyRow): Promise<KnownUser | undefined> => {
    if (key.status === "suspended") return undefined;
    if (key.status === "dormant") await activateDormant(db, key.user_id);
    return acceptKey(db, key);
  };
  return {
    ofToken: async (token) => {
      const found = await findUserKey(keys, token);
      return "problem" in found ? undefined : accept(found.key);
    },
    ofKey: async (keyId) => {
      const found = checkKey(await keys.findKey(keyId));
      return "problem" in found ? undefined : accept(found.key);
    },
  };
}

type KeyRow = NonNullable<Awaited<ReturnType<typeof findKey>>>;
/** A key, or the reason why there is none. */
type FoundKey = { readonly key: KeyRow } | { readonly problem: string };

/** Returns the user if their key allows the route. */
function opening(route: Route, user: KnownUser): KnownUser {
  requireRoute(user, route);
  return user;
}

interface KeyNeeds {
  readonly db: Database;
  readonly findKey: (id: string) => ReturnType<typeof findKey>;
}

async function findUserKey(keys: KeyNeeds, token: string | undefined): Promise<FoundKey> {
  if (token === undefined) {
    return { problem: 'Cookie "coder_session_token" or query parameter must be provided.' };
  }
  const parsed = parseSessionToken(token);
  if ("problem" in parsed) return parsed;
  const key = await keys.findKey(parsed.id);
  if (key !== undefined && !isSecretOf(parsed.secret, key.hashed_secret)) {
    return { problem: "API key secret is invalid." };
  }
  return checkKey(key);
}

/** Returns a key if it still stands. */
function checkKey(key: KeyRow | undefined): FoundKey {
  if (key === undefined) return { problem: "API key is invalid." };
  if (key.creator_status === "suspended") {
    return { problem: "API key was created by a user who is suspended." };
  }
  return key.is_expired ? { problem: `API key expired at "${key.expires_at}".` } : { key };
}

async function authenticateUser(
  keys: KeyNeeds,
  token: string | undefined,
  accessUrl: string,
): Promise<KnownUser> {
  const { db } = keys;
  const found = await findUserKey(keys, token);
  if ("problem" in found) throw signedOut(accessUrl, found.problem);
  if (found.key.status === "dormant") await activateDormant(db, found.key.user_id);
  else requireActive(found.key);
  return acceptKey(db, found.key);
}

/**
 * The token header of workspace proxies. None exist, so no such token is valid (docs/protocol/rest.md §1.3, class U).
 */
const proxyTokenHeader = "coder-external-proxy-token";

async function authenticateUserOrProxy(
  keys: KeyNeeds,
  request: FastifyRequest,
  token: string | undefined,
): Promise<KnownUser> {
  const found = await findUserKey(keys, token);
  const isProxy = (request.headers[proxyTokenHeader] ?? "") !== "";
  if ("problem" in found) {
    throw isProxy
      ? new Unauthenticated("Invalid external proxy token", { detail: "Proxy not found." })
      : new Unauthenticated("API key or external proxy authentication required, but none provided");
  }
  if (isProxy) {
    throw new Invalid(
      "API key and external proxy authentication provided, but only one is allowed",
    );
  }
  requireActive(found.key);
  return acceptKey(keys.db, found.key);
}

function requireActive({ status }: KeyRow): void {
  if (status === "active") return;
  throw new Unauthenticated(
    `User is not active (status = "${status}"). Contact an admin to reactivate your account.`,
  );
}

async function acceptKey(db: Database, key: KeyRow): Promise<KnownUser> {
  if (key.is_stale) await touchKey(db, key.id);
  const secondsLeft = key.seconds_left ?? undefined;
  const grant = { scopes: key.scopes, allowList: key.allow_list, secondsLeft };
  const {
    user_id: id,
    username,
    roles,
    id: keyId,
    creator_id: creatorId,
    creator_name: name,
  } = key;
  const user = { id, username, roles, keyId, grant };
  if (creatorId === null) return user;
  return { ...user, keyCreatedBy: { id: creatorId, username: name ?? "" } };
}

const signedOutMessage =
  "You are signed out or your session has expired. Please sign in again to continue.";

/** Returns the refusal of a key that was revoked after its request was authenticated. */
export function endedKey(): Unauthenticated {
  return new Unauthenticated(signedOutMessage, { detail: "API key is invalid." });
}

function signedOut(accessUrl: string, detail: string): Unauthenticated {
  const metadata = `${accessUrl}/.well-known/oauth-protected-resource`;
  return new Unauthenticated(signedOutMessage, {
    detail,
    challenge: `Bearer realm="coder", error="invalid_token", error_description="The access token has expired", resource_metadata="${metadata}"`,
  });
}

/** Returns the token of an agent, which is no browser and has no session. */
export function findAgentToken(request: FastifyRequest): string | undefined {
  return findToken(request, false)?.token;
}

async function authenticateAgent(
  db: Queryable,
  agents: GatheredLookups<LiveAgent>,
  token: string | undefined,
): Promise<AgentCaller> {
  const hash = readAgentToken(token);
  const row = await agents.look(hash.toString("hex"));
  if (row === undefined) {
    throw (await isOfStoppedWorkspace(db, hash)) ? stoppedWorkspace() : rejectedAgentToken();
  }
  return {
    agentId: row.agent_id,
    agentName: row.agent_name,
    buildId: row.build_id,
    workspaceId: row.workspace_id,
    ownerId: row.owner_id,
    authenticatedAt: row.now,
  };
}

/** Returns the hash of an agent's token; throws `Unauthenticated` for a malformed one. */
export function readAgentToken(token: string | undefined): Buffer {
  if (token === undefined) {
    throw new Unauthenticated('Cookie "coder_session_token" must be provided.');
  }
  const uuid = readUuid(token);
  if (uuid !== undefined) return hashAgentToken(uuid);
  throw new Unauthenticated("Workspace agent token invalid.", {
    detail: `An agent token must be a valid UUIDv4. (len ${token.length})`,
  });
}

/** Returns the refusal of an agent whose workspace is stopped; ours runs its stop scripts then. */
function stoppedWorkspace(): Unauthenticated {
  return new Unauthenticated("Workspace agent not authorized.", {
    detail: "The workspace is stopped. Its agent may connect again when it is started.",
    validations: [{ field: "workspace", detail: "is stopped" }],
  });
}

/** Returns the refusal of a token that no agent has. */
export function rejectedAgentToken(): Unauthenticated {
  return new Unauthenticated("Workspace agent not authorized.", {
    detail:
      "No running build knows this token: the build may not have finished yet, or a newer one replaced this agent.",
  });
}
