import { sql, type Transaction } from "kysely";

import { endOfKey, type TokenLimits } from "../../platform/auth/token-lifetime.ts";
import type { Queryable } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";

export interface KeyQueries {
  readonly db: Queryable;
  /** The current limits of lifetimes, which end a token whatever its original lifetime. */
  readonly limits: TokenLimits;
}

function keys({ db, limits }: KeyQueries) {
  return db
    .selectFrom("api_keys as key")
    .innerJoin("users as user", "user.id", "key.user_id")
    .where("user.deleted", "=", sql.lit(false))
    .select([
      "key.id",
      "key.user_id",
      "user.username",
      "key.login_type",
      "key.token_name",
      "key.scopes",
      "key.allow_list",
      "key.lifetime_seconds",
      "key.created_by",
      "key.last_used",
      "key.created_at",
      "key.updated_at",
      endOfKey(limits).as("expires_at"),
    ]);
}

export function selectKey(needs: KeyQueries, userId: string, id: string) {
  return keys(needs).where("key.user_id", "=", userId).where("key.id", "=", id).executeTakeFirst();
}

export type KeyRow = NonNullable<Awaited<ReturnType<typeof selectKey>>>;

export function selectToken(needs: KeyQueries, userId: string, name: string) {
  return keys(needs)
    .where("key.user_id", "=", userId)
    .where("key.login_type", "=", "token")
    .where("key.token_name", "=", name)
    .executeTakeFirst();
}

/** Selects tokens, newest first; `userId` undefined means all users'. */
export function selectTokens(
  needs: KeyQueries,
  filter: { readonly userId: string | undefined; readonly includeExpired: boolean },
) {
  return keys(needs)
    .where("key.login_type", "=", "token")
    .$if(filter.userId !== undefined, (query) =>
      query.where("key.user_id", "=", filter.userId ?? ""),
    )
    .$if(!filter.includeExpired, (query) =>
      query.where(endOfKey(needs.limits), ">", sql<string>`now()`),
    )
    .orderBy("key.created_at", "desc")
    .execute();
}

/**
 * Locks users until the transaction ends, in which one of them creates a key by means of the key `keyId`; false when
 * that one has ended. A change of the creator's password ends all their keys, and either waits or came first.
 */
export async function lockKeyUsers(
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

export async function countTokens(db: Queryable, userId: string): Promise<number> {
  const row = await db
    .selectFrom("api_keys")
    .where("user_id", "=", userId)
    .where("login_type", "=", "token")
    .select(sql<number>`count(*)`.as("count"))
    .executeTakeFirstOrThrow();
  return row.count;
}

/** Deletes the expired tokens of a user whose names begin with that. */
export async function deleteExpiredTokens(
  db: Queryable,
  userId: string,
  prefix: string,
): Promise<void> {
  await db
    .deleteFrom("api_keys")
    .where("user_id", "=", userId)
    .where("login_type", "=", "token")
    .where("expires_at", "<", sql<string>`now()`)
    .where(sql<boolean>`starts_with(token_name, ${prefix})`)
    .execute();
}

/** Ends a key and resolves to the time of its end. */
export async function expireKey(db: Queryable, id: string): Promise<string> {
  const row = await db
    .updateTable("api_keys")
    .set({ expires_at: sql`least(expires_at, now())`, updated_at: sql`now()` })
    .where("id", "=", id)
    .returning("expires_at")
    .executeTakeFirstOrThrow();
  return row.expires_at;
}
