import { randomBytes } from "node:crypto";

import { scopeNames } from "@slipway/api/contract/scopes";
import type { CreateTokenRequest } from "@slipway/api/users/token";
import { sql, type Transaction } from "kysely";

import { mayActFor } from "../../platform/auth/rights.ts";
import { endedKey } from "../../platform/auth/service.ts";
import { createApiToken, createSession, keyLifetimes } from "../../platform/auth/session-key.ts";
import { lifetimeLimit, type TokenLimits } from "../../platform/auth/token-lifetime.ts";
import type { Database, Queryable } from "../../platform/db/database.ts";
import { violatesUnique } from "../../platform/db/errors.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { Conflict, notFound, takenField } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { diffOf } from "../audit/service.ts";
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
    ...readTokenGrant(caller, input),
  };
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
    await requireLiveKey(trx, caller, userId);
    await recordKeyChange(trx, caller, { userId, name: "" }, "create");
    return createSession(trx, userId, keyLifetimes.commandSession, creatorOf(caller, userId));
  });
}

/**
 * Throws `Unauthenticated` if the caller's key has ended since it was checked, so that it creates no other key, and
 * `NotFound` if the caller may no longer act for the user.
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

/**
 * Locks users until the transaction ends, in which one of them creates a key by means of the key `keyId`; false when
 * that one has ended. A change of the creator's password ends all their keys, and either waits or came first.
 */
async function lockKeyUsers(
  trx: Transaction<DB>,
  userIds: readonly string[],
  keyId: string,
): Promise<boolean> {
  await trx
    .selectFrom("users")
    .where("id", "in", userIds)
    .orderBy("id")
    .select("id")
    .forNoKeyUpdate()
    .execute();
  const key = await trx
    .selectFrom("api_keys")
    .where("id", "=", keyId)
    .select("id")
    .executeTakeFirst();
  return key !== undefined;
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
