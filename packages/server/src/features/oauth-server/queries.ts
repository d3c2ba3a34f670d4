import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";

/** The time in which a program redeems a code, in seconds; the browser may first ask whether to open an application. */
const codeSeconds = 300;
/** The time in which a program that did not receive its new tokens may ask for them again, in seconds. */
const repeatSeconds = 60;
/** The time after the end of an access token in which a refresh token may be used, in days. */
const idleDays = 30;

interface NewGrant {
  readonly userId: string;
  readonly clientHash: Buffer;
  readonly clientId: string;
  readonly clientName: string;
  readonly scopes: readonly string[];
  readonly redirectUri: string;
  readonly codeHash: Buffer;
  readonly codeChallenge: string;
  /** The session that consented. */
  readonly sessionKeyId: string;
}

export async function insertGrant(db: Queryable, grant: NewGrant): Promise<void> {
  await db
    .insertInto("oauth_grants")
    .values({
      user_id: grant.userId,
      client_hash: grant.clientHash,
      client_id: grant.clientId,
      client_name: grant.clientName,
      scopes: [...grant.scopes],
      redirect_uri: grant.redirectUri,
      code_hash: grant.codeHash,
      code_challenge: grant.codeChallenge,
      session_key_id: grant.sessionKeyId,
    })
    .execute();
}

/** Deletes the grants of a user whose codes were not redeemed in time. */
export async function deleteUnredeemed(db: Queryable, userId: string): Promise<void> {
  await db
    .deleteFrom("oauth_grants")
    .where("user_id", "=", userId)
    .where("key_id", "is", null)
    .where("created_at", "<", sql<string>`now() - make_interval(secs => ${codeSeconds})`)
    .execute();
}

/** Selects the user of a code. */
export function selectUserOfCode(db: Queryable, codeHash: Buffer) {
  return db
    .selectFrom("oauth_grants")
    .where("code_hash", "=", codeHash)
    .select("user_id")
    .executeTakeFirst();
}

/** Locks the grant of a code until the transaction ends. */
export function lockGrantOfCode(db: Queryable, codeHash: Buffer) {
  return grants(db).where("grant.code_hash", "=", codeHash).forUpdate("grant").executeTakeFirst();
}

/** Locks the grant of a refresh token, its last or the one before, until the transaction ends. */
export function lockGrantOfRefreshToken(db: Queryable, hash: Buffer) {
  return grants(db)
    .where(({ eb, or }) =>
      or([eb("grant.refresh_hash", "=", hash), eb("grant.previous_refresh_hash", "=", hash)]),
    )
    .forUpdate("grant")
    .executeTakeFirst();
}

/** Locks the grant of an access token until the transaction ends. */
export function lockGrantOfKey(db: Queryable, keyId: string) {
  return grants(db).where("grant.key_id", "=", keyId).forUpdate("grant").executeTakeFirst();
}

function grants(db: Queryable) {
  return db
    .selectFrom("oauth_grants as grant")
    .innerJoin("users as user", "user.id", "grant.user_id")
    .leftJoin("api_keys as key", "key.id", "grant.key_id")
    .select([
      "grant.id",
      "grant.user_id",
      "grant.client_hash",
      "grant.client_id",
      "grant.client_name",
      "grant.scopes",
      "grant.redirect_uri",
      "grant.code_challenge",
      "grant.key_id",
      "grant.refresh_hash",
      "key.token_name",
      "key.hashed_secret",
      "user.roles",
      sql<boolean>`"user".status = 'suspended' or "user".deleted`.as("is_locked_out"),
      sql<boolean>`"grant".created_at > now() - make_interval(secs => ${codeSeconds})`.as(
        "is_code_fresh",
      ),
      sql<boolean>`coalesce("grant".refreshed_at > now() - make_interval(secs => ${repeatSeconds}), false)`.as(
        "is_just_refreshed",
      ),
      sql<boolean>`coalesce(key.expires_at < now() - make_interval(days => ${idleDays}), false)`.as(
        "is_idle",
      ),
    ]);
}

export type GrantRow = NonNullable<Awaited<ReturnType<typeof lockGrantOfKey>>>;

/** Replaces the code of a grant, which the consenting session no longer ends, by the token that it was redeemed for. */
export async function markRedeemed(
  db: Queryable,
  id: string,
  { keyId, refreshHash }: { readonly keyId: string; readonly refreshHash: Buffer },
): Promise<void> {
  await db
    .updateTable("oauth_grants")
    .set({ session_key_id: null, key_id: keyId, refresh_hash: refreshHash })
    .where("id", "=", id)
    .execute();
}

/** Stores the refresh token that replaces the last one. */
export async function rotateRefreshToken(
  db: Queryable,
  id: string,
  refreshHash: Buffer,
): Promise<void> {
  await db
    .updateTable("oauth_grants")
    .set(({ ref }) => ({
      refresh_hash: refreshHash,
      previous_refresh_hash: ref("refresh_hash"),
      refreshed_at: sql`now()`,
    }))
    .where("id", "=", id)
    .execute();
}
