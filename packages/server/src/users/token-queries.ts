import { sql } from "kysely";

import type { Queryable } from "../db/database.ts";

function keys(db: Queryable) {
  return db
    .selectFrom("api_keys as k")
    .innerJoin("users as u", "u.id", "k.user_id")
    .where("u.deleted", "=", sql.lit(false))
    .select([
      "k.id",
      "k.user_id",
      "u.username",
      "k.login_type",
      "k.token_name",
      "k.scopes",
      "k.allow_list",
      "k.lifetime_seconds",
      "k.last_used",
      "k.expires_at",
      "k.created_at",
      "k.updated_at",
    ]);
}

export function selectKey(db: Queryable, userId: string, id: string) {
  return keys(db).where("k.user_id", "=", userId).where("k.id", "=", id).executeTakeFirst();
}

export type KeyRow = NonNullable<Awaited<ReturnType<typeof selectKey>>>;

export function selectToken(db: Queryable, userId: string, name: string) {
  return keys(db)
    .where("k.user_id", "=", userId)
    .where("k.login_type", "=", "token")
    .where("k.token_name", "=", name)
    .executeTakeFirst();
}

/** Tokens, newest first; `userId` undefined means everybody's. */
export function selectTokens(
  db: Queryable,
  filter: { readonly userId: string | undefined; readonly includeExpired: boolean },
) {
  return keys(db)
    .where("k.login_type", "=", "token")
    .$if(filter.userId !== undefined, (query) => query.where("k.user_id", "=", filter.userId ?? ""))
    .$if(!filter.includeExpired, (query) => query.where("k.expires_at", ">", sql<string>`now()`))
    .orderBy("k.created_at", "desc")
    .execute();
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

/** Resolves to when the key has ended. */
export async function expireKey(db: Queryable, id: string): Promise<string> {
  const row = await db
    .updateTable("api_keys")
    .set({ expires_at: sql`least(expires_at, now())`, updated_at: sql`now()` })
    .where("id", "=", id)
    .returning("expires_at")
    .executeTakeFirstOrThrow();
  return row.expires_at;
}
