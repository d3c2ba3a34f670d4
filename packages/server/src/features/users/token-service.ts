import { randomBytes } from "node:crypto";

import {
  type ApiKey,
  canonicalScope,
  type CreateTokenRequest,
  type ListedToken,
  type ScopeName,
  scopeNames,
} from "@slipway/api";
import { countText } from "@slipway/runtime";
import type { Transaction } from "kysely";

import { mayHandOn } from "../../platform/auth/grants.ts";
import { endSession } from "../../platform/auth/queries.ts";
import { isOwnerRole, mayActFor } from "../../platform/auth/rights.ts";
import {
  createApiToken,
  createSession,
  endedKey,
  keyLifetimes,
} from "../../platform/auth/service.ts";
import { lifetimeLimit, type TokenLimits } from "../../platform/auth/token-lifetime.ts";
import { type LimitName, limitVariable } from "../../platform/config/limits.ts";
import type { Database } from "../../platform/db/database.ts";
import { violatesUnique } from "../../platform/db/errors.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import {
  Conflict,
  forbidden,
  invalidField,
  notFound,
  takenField,
} from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { diffOf } from "../audit/service.ts";
import { recordKeyChange } from "./audit.ts";
import { currentCaller } from "./lock-service.ts";
import type { UserRow } from "./queries.ts";
import {
  countTokens,
  deleteExpiredTokens,
  expireKey as expireKeyRow,
  type KeyRow,
  lockKeyUsers,
  selectKey,
  selectToken,
  selectTokens,
} from "./token-queries.ts";

const nanosecondsPerSecond = 1e9;
const daySeconds = 24 * 3600;
/** The most tokens of one user, expired ones included. */
const maxTokens = 1000;
/** The beginning of the names of tokens by which programs log in with a token; the expired ones make room for others. */
const loginTokenPrefix = "login-";
const neverUsed = "1970-01-01T00:00:00Z";

export interface TokenNeeds {
  readonly db: Database;
  readonly limits: TokenLimits;
}

/** Returns the longest lifetime of a user's tokens that the caller may create, in nanoseconds. */
export function maxTokenLifetimeNs(
  caller: UserCaller,
  user: Pick<UserRow, "roles">,
  limits: TokenLimits,
): number {
  return maxLifetimeSeconds(caller, limits[lifetimeLimit(user)]) * nanosecondsPerSecond;
}

/** Returns the longest lifetime of a new token. A token creates none that outlives it. */
function maxLifetimeSeconds({ grant }: UserCaller, maxDays: number): number {
  // A second for the request itself, whose new token lives from its own creation on.
  const left = grant.secondsLeft === undefined ? Infinity : Math.max(grant.secondsLeft - 1, 0);
  return Math.min(maxDays * daySeconds, left);
}

/** Creates a token and resolves to it; throws `Conflict` when the name is taken. */
export async function createToken(
  { db, limits }: TokenNeeds,
  caller: UserCaller,
  user: UserRow,
  input: CreateTokenRequest,
): Promise<string> {
  const name = readName(input.token_name);
  const limit = lifetimeLimit(user);
  const lifetimeSeconds = readLifetime(caller, input.lifetime, limit, limits[limit]);
  const createdBy = creatorOf(caller, user.id);
  const token = { userId: user.id, name, lifetimeSeconds, createdBy, ...readGrant(caller, input) };
  return inTransaction(db, async (trx) => {
    await requireLiveKey(trx, caller, user.id);
    if ((await countTokens(trx, user.id)) >= maxTokens) {
      throw new Conflict(`A user can have at most ${maxTokens} tokens.`, {
        detail: "Delete the ones that are no longer used.",
      });
    }
    await recordKeyChange(
      trx,
      caller,
      { userId: user.id, name },
      "create",
      diffOf(
        {},
        {
          scopes: token.scopes,
          allow_list: token.allowList,
          lifetime_seconds: lifetimeSeconds,
        },
      ),
    );
    return createApiToken(trx, token);
  }).catch((error: unknown) => {
    if (!violatesUnique(error, "api_keys_token_name")) throw error;
    throw takenField("name", `A token with name "${name}" already exists.`);
  });
}

/**
 * Throws `Unauthenticated` for a caller whose key has ended since it was checked, so that it creates no other, and `NotFound` for
 * one who may no longer act for the user.
 */
async function requireLiveKey(
  trx: Transaction<DB>,
  caller: UserCaller,
  userId: string,
): Promise<void> {
  const { id, keyId, keyCreatedBy } = caller;
  const userIds = [id, userId, keyCreatedBy?.id ?? id];
  if (!(await lockKeyUsers(trx, userIds, keyId))) throw endedKey();
  if (!mayActFor(await currentCaller(trx, caller), userId)) throw notFound();
}

/**
 * Returns the creator of the user's key, if not the user: the caller, or the creator of the key that the caller used.
 */
function creatorOf({ id, keyCreatedBy }: UserCaller, userId: string): string | undefined {
  const creatorId = keyCreatedBy?.id ?? id;
  return creatorId === userId ? undefined : creatorId;
}

function readName(text: string | undefined): string {
  if (text === undefined || text === "") return `token-${randomBytes(6).toString("hex")}`;
  // `tokenconfig` is a path of its own among the tokens.
  if (/^[\w.-]+$/.test(text) && text !== "tokenconfig") return text;
  throw invalidField(
    "token_name",
    `must consist of letters, digits, dots, dashes and underscores, and not be "tokenconfig", found "${text}"`,
  );
}

function readLifetime(
  caller: UserCaller,
  nanoseconds: number | undefined,
  limit: LimitName,
  maxDays: number,
): number {
  const maxSeconds = maxLifetimeSeconds(caller, maxDays);
  if (nanoseconds === undefined || nanoseconds === 0) {
    return Math.min(keyLifetimes.commandSession, maxSeconds);
  }
  const seconds = Math.floor(nanoseconds / nanosecondsPerSecond);
  if (seconds >= 1 && seconds <= maxSeconds) return seconds;
  const most =
    maxSeconds < maxDays * daySeconds
      ? `${countText(maxSeconds, "second")}, when the token of this request expires`
      : `${maxDays} days (${limitVariable(limit)})`;
  throw invalidField(
    "lifetime",
    `must be between 1 second and ${most}, found ${lifetimeText(seconds)}`,
  );
}

function lifetimeText(seconds: number): string {
  return seconds % daySeconds === 0
    ? countText(seconds / daySeconds, "day")
    : countText(seconds, "second");
}

/**
 * Reads the requested grant; throws `Invalid` for resources without a type, `Forbidden` for more than the caller's own
 * key grants.
 */
function readGrant(
  caller: UserCaller,
  input: CreateTokenRequest,
): { readonly scopes: readonly ScopeName[]; readonly allowList: readonly string[] } {
  const asked = [...(input.scopes ?? []), ...(input.scope ? [input.scope] : [])];
  const given = [...new Set(asked.map(canonicalScope))];
  const scopes: readonly ScopeName[] = given.length === 0 ? ["coder:all"] : given;
  const entries = [...new Set((input.allow_list ?? []).map((entry) => entry.toLowerCase()))];
  const allowList = entries.length === 0 ? ["*:*"] : entries;
  requireTypes(allowList);
  if (mayHandOn(caller.grant, { scopes, allowList })) return { scopes, allowList };
  throw forbidden("A limited token cannot create a token with more permissions than its own.");
}

function requireTypes(allowList: readonly string[]): void {
  const types = new Set(scopeNames.map((name) => name.split(":")[0]));
  const index = allowList.findIndex((entry) => {
    const [type = ""] = entry.split(":");
    return type !== "*" && (type === "coder" || !types.has(type));
  });
  if (index === -1) return;
  throw invalidField(
    `allow_list.${index}`,
    `must start with *: or a type such as workspace:, found "${allowList[index] ?? ""}"`,
  );
}

/** Lists the tokens of a user; `includeAll` adds all other users' for an owner, and nothing for anybody else. */
export async function listTokens(
  needs: TokenNeeds,
  caller: UserCaller,
  user: UserRow,
  options: { readonly includeAll: boolean; readonly includeExpired: boolean },
): Promise<ListedToken[]> {
  const isEverybodys = options.includeAll && isOwnerRole(caller);
  const rows = await selectTokens(needs, {
    userId: isEverybodys ? undefined : user.id,
    includeExpired: options.includeExpired,
  });
  return rows.map((row) => Object.assign(keyJson(row), { username: row.username }));
}

export async function readTokenByName(
  needs: TokenNeeds,
  user: UserRow,
  name: string,
): Promise<ApiKey> {
  return keyJson(required(await selectToken(needs, user.id, name)));
}

export async function readKey(needs: TokenNeeds, user: UserRow, id: string): Promise<ApiKey> {
  return keyJson(required(await selectKey(needs, user.id, id)));
}

/**
 * Creates a session of a user for a program that asks with another session; resolves to its token. For an API token, as in
 * `coder login --token`, it creates another one with the same rights, which does not outlive it: a session would be extended
 * while it is used.
 */
export async function createSessionKey(
  needs: TokenNeeds,
  caller: UserCaller,
  user: UserRow,
): Promise<string> {
  const { scopes, allowList, secondsLeft } = caller.grant;
  if (secondsLeft !== undefined) {
    const token_name = `${loginTokenPrefix}${randomBytes(6).toString("hex")}`;
    const granted = scopeNames.filter((name) => scopes.includes(name));
    await deleteExpiredTokens(needs.db, user.id, loginTokenPrefix);
    return createToken(needs, caller, user, {
      token_name,
      scopes: granted,
      allow_list: [...allowList],
    });
  }
  const { id: userId } = user;
  return inTransaction(needs.db, async (trx) => {
    await requireLiveKey(trx, caller, userId);
    await recordKeyChange(trx, caller, { userId, name: "" }, "create");
    return createSession(trx, userId, keyLifetimes.commandSession, creatorOf(caller, userId));
  });
}

export async function deleteKey(
  needs: TokenNeeds,
  caller: UserCaller,
  user: UserRow,
  id: string,
): Promise<void> {
  const key = required(await selectKey(needs, user.id, id));
  await inTransaction(needs.db, async (trx) => {
    await endSession(trx, key.id);
    await recordKeyChange(trx, caller, { userId: user.id, name: key.token_name }, "delete");
  });
}

/** Expires a key at once; a token keeps its name until it is deleted. */
export async function expireKey(
  needs: TokenNeeds,
  caller: UserCaller,
  user: UserRow,
  id: string,
): Promise<void> {
  const key = required(await selectKey(needs, user.id, id));
  await inTransaction(needs.db, async (trx) => {
    const expires_at = await expireKeyRow(trx, key.id);
    const diff = diffOf({ expires_at: key.expires_at }, { expires_at });
    await recordKeyChange(trx, caller, { userId: user.id, name: key.token_name }, "write", diff);
  });
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
    scope: oldScope(row.scopes),
    scopes: row.scopes,
    token_name: row.token_name,
    lifetime_seconds: row.lifetime_seconds,
    allow_list: row.allow_list,
    ...(row.created_by === null ? {} : { created_by: row.created_by }),
  };
}

function oldScope(scopes: readonly string[]): ApiKey["scope"] {
  if (scopes.includes("coder:all")) return "all";
  return scopes.join() === "coder:application_connect" ? "application_connect" : "";
}
