import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";

export interface DueIdentity {
  readonly id: string;
  readonly user_id: string;
  readonly provider_id: string;
  readonly details_encrypted: Buffer;
  readonly version: number;
}

interface ClaimedChecks {
  readonly providerIds: readonly string[];
  /** The time since the last check, and that of the claim. */
  readonly afterMs: number;
  readonly leaseMs: number;
  readonly limit: number;
}

/**
 * Claims the checks of people who have sessions and were not checked for a while, for this replica and a time, the oldest
 * first. A refresh token is therefore used by one replica at a time.
 */
export async function claimChecks(
  db: Queryable,
  { providerIds, afterMs, leaseMs, limit }: ClaimedChecks,
): Promise<readonly DueIdentity[]> {
  const { rows } = await sql<DueIdentity>`
    update user_identities set checking_until = now() + make_interval(secs => ${leaseMs / 1000})
      where id in (select id from user_identities identity
        where is_checkable and checked_at < now() - make_interval(secs => ${afterMs / 1000})
          and (checking_until is null or checking_until < now())
          and provider_id = any(${[...providerIds]}::text[])
          and exists (select from api_keys key where key.user_id = identity.user_id
            and key.login_type <> 'token' and key.expires_at > now())
        order by checked_at limit ${limit} for update skip locked)
      returning id, user_id, provider_id, details_encrypted, version`.execute(db);
  return rows;
}

/** The details of an identity at a certain time: outdated as soon as the person logs in again. */
type IdentityVersion = Pick<DueIdentity, "id" | "version">;

/** Stores the tokens of a check; false if the person has logged in meanwhile. */
export async function storeChecked(
  db: Queryable,
  { id, version }: IdentityVersion,
  detailsEncrypted: Buffer,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("user_identities")
    .set({
      details_encrypted: detailsEncrypted,
      version: version + 1,
      checked_at: sql`now()`,
      checking_until: null,
      updated_at: sql`now()`,
    })
    .where("id", "=", id)
    .where("version", "=", version)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Postpones a check whose provider did not answer. */
export async function postponeCheck(
  db: Queryable,
  { id, version }: IdentityVersion,
  ms: number,
): Promise<void> {
  await db
    .updateTable("user_identities")
    .set({ checking_until: sql`now() + make_interval(secs => ${ms / 1000})` })
    .where("id", "=", id)
    .where("version", "=", version)
    .execute();
}

/** Ends the checks of an identity until the next login; false if the person has logged in meanwhile. */
export async function endChecks(db: Queryable, { id, version }: IdentityVersion): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("user_identities")
    .set({ is_checkable: false, checking_until: null, updated_at: sql`now()` })
    .where("id", "=", id)
    .where("version", "=", version)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}
