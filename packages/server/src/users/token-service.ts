import { randomBytes } from "node:crypto";

import type { ApiKey, CreateTokenRequest, ListedToken } from "@slipway/api";

import { isOwnerRole } from "../auth/rights.ts";
import { createApiToken, endSession, type KeyScope, keyLifetimes } from "../auth/service.ts";
import type { Database, Queryable } from "../db/database.ts";
import { violatesUnique } from "../db/errors.ts";
import type { UserCaller } from "../http/caller.ts";
import { HttpError, invalidField, notFound } from "../http/errors.ts";
import type { UserRow } from "./queries.ts";
import {
  countTokens,
  expireKey as expireKeyRow,
  type KeyRow,
  selectKey,
  selectToken,
  selectTokens,
} from "./token-queries.ts";

const nanosecondsPerSecond = 1e9;
const hourSeconds = 3600;
/** A hundred years; owners, whose tokens open everything, get a week (`clients.md` section 5.1). */
const maxLifetimeSeconds = 876_600 * hourSeconds;
const maxOwnerLifetimeSeconds = 168 * hourSeconds;
/** Most tokens of one user, expired ones included. */
const maxTokens = 1000;
const neverUsed = "1970-01-01T00:00:00Z";

/** Longest lifetime of a user's tokens, in nanoseconds. */
export function maxTokenLifetimeNs(user: Pick<UserRow, "roles">): number {
  return maxSeconds(user) * nanosecondsPerSecond;
}

function maxSeconds(user: Pick<UserRow, "roles">): number {
  return user.roles.includes("owner") ? maxOwnerLifetimeSeconds : maxLifetimeSeconds;
}

/** Makes a token and resolves to it; throws 409 when the name is taken. */
export async function createToken(
  db: Database,
  user: UserRow,
  input: CreateTokenRequest,
): Promise<string> {
  const name = readName(input.token_name);
  const lifetimeSeconds = readLifetime(input.lifetime, maxSeconds(user));
  if ((await countTokens(db, user.id)) >= maxTokens) {
    throw new HttpError(409, `A user has at most ${maxTokens} tokens.`, {
      detail: "Delete those that are not used any more.",
    });
  }
  const token = { userId: user.id, name, lifetimeSeconds, scopes: readScopes(input) };
  return createApiToken(db, token).catch((error: unknown) => {
    if (!violatesUnique(error, "api_keys_token_name")) throw error;
    throw new HttpError(409, `A token with name "${name}" already exists.`, {
      validations: [
        { field: "name", detail: "This value is already in use and should be unique." },
      ],
    });
  });
}

function readName(text: string | undefined): string {
  if (text === undefined || text === "") return `token-${randomBytes(6).toString("hex")}`;
  // The word is a path of its own among the tokens.
  if (/^[\w.-]+$/.test(text) && text !== "tokenconfig") return text;
  throw invalidField(
    "token_name",
    `must be letters, digits, dots, dashes and underscores, and not "tokenconfig", found "${text}"`,
  );
}

function readLifetime(nanoseconds: number | undefined, maxSecondsAllowed: number): number {
  if (nanoseconds === undefined || nanoseconds === 0) return keyLifetimes.commandSession;
  const seconds = Math.floor(nanoseconds / nanosecondsPerSecond);
  if (seconds >= 1 && seconds <= maxSecondsAllowed) return seconds;
  throw invalidField(
    "lifetime",
    `must be from 1 second to ${maxSecondsAllowed / hourSeconds} hours, found ${nanoseconds} nanoseconds`,
  );
}

function readScopes(input: CreateTokenRequest): readonly KeyScope[] {
  const asked = [...(input.scopes ?? []), ...(input.scope === undefined ? [] : [input.scope])];
  const scopes = asked.flatMap((scope): readonly KeyScope[] => {
    if (scope === "") return [];
    return scope.endsWith("application_connect") ? ["coder:application_connect"] : ["coder:all"];
  });
  return scopes.length === 0 ? ["coder:all"] : [...new Set(scopes)];
}

/** Tokens of a user; `includeAll` asks an owner's for everybody's, and anybody else's for no more. */
export async function listTokens(
  db: Queryable,
  caller: UserCaller,
  user: UserRow,
  options: { readonly includeAll: boolean; readonly includeExpired: boolean },
): Promise<ListedToken[]> {
  const isEverybodys = options.includeAll && isOwnerRole(caller);
  const rows = await selectTokens(db, {
    userId: isEverybodys ? undefined : user.id,
    includeExpired: options.includeExpired,
  });
  return rows.map((row) => Object.assign(keyJson(row), { username: row.username }));
}

export async function readTokenByName(db: Queryable, user: UserRow, name: string): Promise<ApiKey> {
  return keyJson(required(await selectToken(db, user.id, name)));
}

export async function readKey(db: Queryable, user: UserRow, id: string): Promise<ApiKey> {
  return keyJson(required(await selectKey(db, user.id, id)));
}

export async function deleteKey(db: Queryable, user: UserRow, id: string): Promise<void> {
  await endSession(db, required(await selectKey(db, user.id, id)).id);
}

/** Ends a key at once; a token keeps its name until it is deleted. */
export async function expireKey(db: Queryable, user: UserRow, id: string): Promise<void> {
  await expireKeyRow(db, required(await selectKey(db, user.id, id)).id);
}

function required(row: KeyRow | undefined): KeyRow {
  if (row === undefined) throw notFound();
  return row;
}

function keyJson(row: KeyRow): ApiKey {
  return {
    id: row.id,
    user_id: row.user_id,
    last_used: row.last_used ?? neverUsed,
    expires_at: row.expires_at,
    created_at: row.created_at,
    updated_at: row.updated_at,
    login_type: row.login_type === "token" ? "token" : "password",
    scope: row.scopes.includes("coder:all") ? "all" : "application_connect",
    scopes: row.scopes,
    token_name: row.token_name,
    lifetime_seconds: row.lifetime_seconds,
    allow_list: ["*:*"],
  };
}
