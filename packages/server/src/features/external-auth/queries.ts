import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import type { StoredTokens } from "./tokens.ts";

const columns = [
  "id",
  "user_id",
  "provider_id",
  "tokens_encrypted",
  "version",
  "expires_at",
  "has_refresh_token",
  "refresh_failure",
  "created_at",
  "updated_at",
] as const;

export interface LinkRow {
  readonly id: string;
  readonly user_id: string;
  readonly provider_id: string;
  readonly tokens_encrypted: Buffer;
  readonly version: number;
  readonly expires_at: string | null;
  readonly has_refresh_token: boolean;
  readonly refresh_failure: string | null;
  readonly created_at: string;
  readonly updated_at: string;
}

export function selectLink(
  db: Queryable,
  userId: string,
  providerId: string,
): Promise<LinkRow | undefined> {
  return db
    .selectFrom("external_auth_links")
    .where("user_id", "=", userId)
    .where("provider_id", "=", providerId)
    .select(columns)
    .executeTakeFirst();
}

export function selectLinks(db: Queryable, userId: string): Promise<LinkRow[]> {
  return db
    .selectFrom("external_auth_links")
    .where("user_id", "=", userId)
    .orderBy("provider_id")
    .select(columns)
    .execute();
}

/**
 * Stores the tokens of a login in place of earlier ones, and returns the link; undefined if the user was deleted meanwhile.
 */
export async function upsertLink(
  db: Queryable,
  key: { readonly userId: string; readonly providerId: string },
  tokens: StoredTokens,
): Promise<Pick<LinkRow, "id" | "version"> | undefined> {
  const stored = valuesOf(tokens);
  return db
    .insertInto("external_auth_links")
    .columns(["user_id", "provider_id", "tokens_encrypted", "expires_at", "has_refresh_token"])
    .expression((eb) =>
      eb
        .selectFrom("users")
        .where("id", "=", key.userId)
        .where("deleted", "=", sql.lit(false))
        .select([
          "id",
          eb.val(key.providerId).as("provider_id"),
          eb.val(stored.tokens_encrypted).as("tokens_encrypted"),
          eb.cast<string | null>(eb.val(stored.expires_at), "timestamptz").as("expires_at"),
          eb.val(stored.has_refresh_token).as("has_refresh_token"),
        ])
        // A deletion of the user waits, and then removes the link.
        .forKeyShare(),
    )
    .onConflict((conflict) =>
      conflict.columns(["user_id", "provider_id"]).doUpdateSet({
        ...stored,
        ...settled,
        version: sql`external_auth_links.version + 1`,
      }),
    )
    .returning(["id", "version"])
    .executeTakeFirst();
}

const settled = {
  refresh_failure: null,
  refreshing_until: null,
  updated_at: sql<string>`now()`,
};

function valuesOf({ tokensEncrypted, expiresAt, hasRefreshToken }: StoredTokens) {
  return {
    tokens_encrypted: tokensEncrypted,
    expires_at: expiresAt ?? null,
    has_refresh_token: hasRefreshToken,
  };
}

/** A link with certain tokens: outdated as soon as others are stored. */
type LinkVersion = Pick<LinkRow, "id" | "version">;

/** Claims the refresh of a link for a time; false if another replica has it, or the tokens were replaced. */
export async function claimRefresh(
  db: Queryable,
  { id, version }: LinkVersion,
  leaseMs: number,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("external_auth_links")
    .set({ refreshing_until: sql`now() + make_interval(secs => ${leaseMs / 1000})` })
    .where("id", "=", id)
    .where("version", "=", version)
    .where(({ eb, or }) =>
      or([eb("refreshing_until", "is", null), eb("refreshing_until", "<", sql<string>`now()`)]),
    )
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Stores refreshed tokens; false if others were stored, or the link was deleted. */
export async function storeRefreshed(
  db: Queryable,
  { id, version }: LinkVersion,
  tokens: StoredTokens,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("external_auth_links")
    .set({ ...valuesOf(tokens), ...settled, version: version + 1 })
    .where("id", "=", id)
    .where("version", "=", version)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Ends a refresh that failed; one that was refused leaves tokens without a refresh token, and the reason. */
export async function endRefresh(
  db: Queryable,
  { id, version }: LinkVersion,
  refused: { readonly tokensEncrypted: Buffer; readonly reason: string } | undefined,
): Promise<void> {
  await db
    .updateTable("external_auth_links")
    .set({
      refreshing_until: null,
      ...(refused === undefined
        ? {}
        : {
            tokens_encrypted: refused.tokensEncrypted,
            has_refresh_token: false,
            refresh_failure: refused.reason,
            version: version + 1,
          }),
    })
    .where("id", "=", id)
    .where("version", "=", version)
    .execute();
}

/** Removes a link and returns its tokens. */
export function deleteLink(
  db: Queryable,
  userId: string,
  providerId: string,
): Promise<Pick<LinkRow, "id" | "tokens_encrypted"> | undefined> {
  return db
    .deleteFrom("external_auth_links")
    .where("user_id", "=", userId)
    .where("provider_id", "=", providerId)
    .returning(["id", "tokens_encrypted"])
    .executeTakeFirst();
}
