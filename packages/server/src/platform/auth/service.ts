import type { Route } from "@slipway/api/contract/route";
import type { FastifyRequest } from "fastify";

import type { Database } from "../db/database.ts";
import { GatheredLookups } from "../db/gathered-lookups.ts";
import { Invalid, Unauthenticated } from "../errors/errors.ts";
import type { Authenticator, KnownUser } from "../http/caller.ts";
import { originOf } from "../http/request-origin.ts";
import { needsHttps } from "../http/same-origin.ts";
import { findToken } from "../http/token.ts";
import { GatheredReads } from "../pubsub/gathered-reads.ts";
import { authenticateAgent, findAgentToken } from "./agent-token.ts";
import { requireRoute, requireThings } from "./key-limits.ts";
import { activateDormant, findKey, selectLiveAgents, touchKey } from "./queries.ts";
import { resourceMetadataPath, resourceOf } from "./resource-metadata.ts";
import { isSecretOf, parseSessionToken } from "./session-key.ts";
import type { TokenLimits } from "./token-lifetime.ts";

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
      opening(
        route,
        await authenticateUser(
          keys,
          request,
          tokenOf(request),
          `${accessUrl()}${metadataPathOf(route)}`,
        ),
      ),
    userOrProxy: async (request, route) =>
      opening(route, await authenticateUserOrProxy(keys, request, tokenOf(request))),
    allow: (user, route, request) => requireThings(db, user, route, request),
    agent: (request) => authenticateAgent(db, agents, findAgentToken(request)),
  };
}

/** Finds the users of credentials that are presented outside the routes of the API. */
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

/** Returns a key if it is still valid. */
function checkKey(key: KeyRow | undefined): FoundKey {
  if (key === undefined) return { problem: "API key is invalid." };
  if (key.creator_status === "suspended") {
    return { problem: "API key was created by a user who is suspended." };
  }
  return key.is_expired ? { problem: `API key expired at "${key.expires_at}".` } : { key };
}

async function authenticateUser(
  keys: KeyNeeds,
  request: FastifyRequest,
  token: string | undefined,
  metadataUrl: string,
): Promise<KnownUser> {
  const { db } = keys;
  const found = await findUserKey(keys, token);
  if ("problem" in found) throw signedOut(metadataUrl, found.problem);
  if (found.key.status === "dormant") await activateDormant(db, found.key.user_id);
  else requireActive(found.key);
  return acceptKey(db, found.key, request);
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
  return acceptKey(keys.db, found.key, request);
}

function requireActive({ status }: KeyRow): void {
  if (status === "active") return;
  throw new Unauthenticated(
    `User is not active (status = "${status}"). Contact an admin to reactivate your account.`,
  );
}

async function acceptKey(db: Database, key: KeyRow, request?: FastifyRequest): Promise<KnownUser> {
  if (key.is_stale) await touchKey(db, key.id, request && originOf(request, 200));
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

function metadataPathOf(route: Route): string {
  return resourceMetadataPath(resourceOf(route));
}

function signedOut(metadataUrl: string, detail: string): Unauthenticated {
  return new Unauthenticated(signedOutMessage, {
    detail,
    challenge: `Bearer realm="coder", error="invalid_token", error_description="The access token has expired", resource_metadata="${metadataUrl}"`,
  });
}
