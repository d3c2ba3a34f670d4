import { randomBytes } from "node:crypto";

import { scopeNames } from "@slipway/api/contract/scopes";
import type { CreateTokenRequest } from "@slipway/api/users/token";
import { sql, type Transaction } from "kysely";

import { mayActFor } from "../../platform/auth/rights.ts";
import { endedKey } from "../../platform/auth/service.ts";
import {
  createApiToken,
  createSession,
  keyLifetimes,
  type NewApiToken,
} from "../../platform/auth/session-key.ts";
import { lifetimeLimit, type TokenLimits } from "../../platform/auth/token-lifetime.ts";
import type { Database, Queryable } from "../../platform/db/database.ts";
import { violatesUnique } from "../../platform/db/errors.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { Conflict, notFound, takenField } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { type AuditActor, diffOf } from "../audit/service.ts";
import { recordKeyChange } from "./audit.ts";
import { currentCaller } from "./lock-service.ts";
import type { UserRow } from "./queries.ts";
import { readTokenGrant, readTokenLifetime, readTokenName } from "./token-request.ts";

/** The maximum number of tokens of a user, including expired ones. */
const maxTokens = 1000;
/** The prefix of the names of tokens that replace a session when a program logs in with a token; expired ones are deleted. */
const loginTokenPrefix = "login-";

export interface TokenNeeds {
  readonly db: Database;
  readonly limits: TokenLimits;
}

/** Creates a token and resolves to it; throws `Conflict` when the name is taken. */
export async function createToken(
  { db, limits }: TokenNeeds,
  caller: UserCaller,
  user: UserRow,
  input: CreateTokenRequest,
): Promise<string> {
  const name = readTokenName(input.token_name);
  const limit = lifetimeLimit(user);
  const lifetimeSeconds = readTokenLifetime(caller, input.lifetime, limit, limits[limit]);
  const createdBy = creatorOf(caller, user.id);
  const token = {
    userId: user.id,
    name,
    lifetimeSeconds,
    createdBy,
    origin: caller.origin,
    ...readTokenGrant(caller, input),
  };
  return inTransaction(db, async (trx) => {
    await requireLiveKey(trx, caller, user.id);
    return addToken(trx, caller, token);
  }).catch((error: unknown) => {
    if (!violatesUnique(error, "api_keys_token_name")) throw error;
    throw takenField("name", `A token with name "${name}" already exists.`);
  });
}

/**
 * Creates a token of a user who is locked, records that `by` created it, and resolves to it; throws `Conflict` if the user
 * has too many.
 */
export async function addToken(
  trx: Transaction<DB>,
  by: AuditActor,
  token: NewApiToken,
): Promise<string> {
  const { userId, name, scopes, allowList, lifetimeSeconds } = token;
  if ((await countTokens(trx, userId)) >= maxTokens) {
    throw new Conflict(`A user can have at most ${maxTokens} tokens.`, {
      detail: "Delete the ones that are no longer used.",
    });
  }
  const grant = { scopes, allow_list: allowList, lifetime_seconds: lifetimeSeconds };
  await recordKeyChange(trx, by, { userId, name }, "create", diffOf({}, grant));
  return createApiToken(trx, token);
}

/**
 * Creates a session of a user for a program that has another session; resolves to its token. A caller with an API token, as
 * in `coder login --token`, gets another token with the same rights, which does not outlive the first: a session would be
 * extended while it is used.
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
    const { provider_session } = await requireLiveKey(trx, caller, userId);
    await recordKeyChange(trx, caller, { userId, name: "" }, "create");
    return createSession(trx, {
      userId,
      lifetimeSeconds: keyLifetimes.commandSession,
      loginType: "password",
      createdBy: creatorOf(caller, userId),
      providerSession: provider_session ?? undefined,
      origin: caller.origin,
    });
  });
}

/**
 * Returns the caller's key. Throws `Unauthenticated` if it has ended since it was checked, so that it creates no other key,
 * and `NotFound` if the caller may no longer act for the user.
 */
async function requireLiveKey(
  trx: Transaction<DB>,
  caller: UserCaller,
  userId: string,
): Promise<LiveKey> {
  const { id, keyId, keyCreatedBy } = caller;
  const userIds = [id, userId, keyCreatedBy?.id ?? id];
  const key = await lockKeyUsers(trx, userIds, keyId);
  if (key === undefined) throw endedKey();
  if (!mayActFor(await currentCaller(trx, caller), userId)) throw notFound();
  return key;
}

type LiveKey = NonNullable<Awaited<ReturnType<typeof lockKeyUsers>>>;

/**
 * Returns the creator of the user's key, if not the user: the caller, or the creator of the key that the caller used.
 */
function creatorOf({ id, keyCreatedBy }: UserCaller, userId: string): string | undefined {
  const creatorId = keyCreatedBy?.id ?? id;
  return creatorId === userId ? undefined : creatorId;
}

/**
 * Locks users until the transaction ends, in which one of them creates a key by means of the key `keyId`, and returns that
 * one; undefined when it has ended. A change of the creator's password ends all their keys, and either waits or came first.
 */
async function lockKeyUsers(trx: Transaction<DB>, userIds: readonly string[], keyId: string) {
  await trx
    .selectFrom("users")
    .where("id", "in", userIds)
    .orderBy("id")
    .select("id")
    .forNoKeyUpdate()
    .execute();
  return trx
    .selectFrom("api_keys")
    .where("id", "=", keyId)
    .select("provider_session")
    .executeTakeFirst();
}

async function countTokens(db: Queryable, userId: string): Promise<number> {
  const row = await db
    .selectFrom("api_keys")
    .where("user_id", "=", userId)
    .where("login_type", "=", "token")
    .select(sql<number>`count(*)`.as("count"))
    .executeTakeFirstOrThrow();
  return row.count;
}

/** Deletes the expired tokens of a user whose names have the prefix. */
async function deleteExpiredTokens(db: Queryable, userId: string, prefix: string): Promise<void> {
  await db
    .deleteFrom("api_keys")
    .where("user_id", "=", userId)
    .where("login_type", "=", "token")
    .where("expires_at", "<", sql<string>`now()`)
    .where(sql<boolean>`starts_with(token_name, ${prefix})`)
    .execute();
}
