import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";

/** A person as their issuer knows them. */
export interface IdentityKey {
  readonly issuer: string;
  readonly subject: string;
}

/** Finds the user of an identity. */
export function selectUserOfIdentity(db: Queryable, { issuer, subject }: IdentityKey) {
  return db
    .selectFrom("user_identities as identity")
    .innerJoin("users as user", "user.id", "identity.user_id")
    .where("identity.issuer", "=", issuer)
    .where("identity.subject", "=", subject)
    .where("user.deleted", "=", sql.lit(false))
    .select(["user.id", "user.username", "user.status"])
    .executeTakeFirst();
}

/** "logi" in ASCII: the advisory lock under which people get their accounts one after the other. */
const lockId = 0x6c_6f_67_69;

/** Makes other first logins wait until the transaction ends, so that all find free usernames. */
export async function lockArrivals(db: Queryable): Promise<void> {
  await sql`select pg_advisory_xact_lock(${lockId})`.execute(db);
}

/** Finds the account with an email address, and tells whether it has an identity. */
export function selectAccount(db: Queryable, email: string) {
  return db
    .selectFrom("users as user")
    .leftJoin("user_identities as identity", "identity.user_id", "user.id")
    .where(sql`lower(email)`, "=", email.toLowerCase())
    .where("user.deleted", "=", sql.lit(false))
    .select([
      "user.id",
      "user.username",
      "user.status",
      "user.login_type",
      "user.is_system",
      sql<boolean>`identity.id is not null`.as("has_identity"),
    ])
    .executeTakeFirst();
}

/** Reads the identity of a user. */
export function selectIdentity(db: Queryable, userId: string) {
  return db
    .selectFrom("user_identities")
    .where("user_id", "=", userId)
    .select(["provider_id", "details_encrypted"])
    .executeTakeFirst();
}

export interface StoredIdentity extends IdentityKey {
  readonly userId: string;
  readonly providerId: string;
  readonly detailsEncrypted: Buffer;
  /** True if the provider can be asked later whether the person may still log in. */
  readonly isCheckable: boolean;
}

/** Stores the identity of a user, or the details of another login. */
export async function upsertIdentity(db: Queryable, identity: StoredIdentity): Promise<void> {
  const stored = {
    provider_id: identity.providerId,
    details_encrypted: identity.detailsEncrypted,
    is_checkable: identity.isCheckable,
  };
  const { issuer, subject, userId: user_id } = identity;
  await db
    .insertInto("user_identities")
    .values({ ...stored, issuer, subject, user_id })
    .onConflict((conflict) =>
      conflict.columns(["issuer", "subject"]).doUpdateSet({
        ...stored,
        version: sql`user_identities.version + 1`,
        checked_at: sql`now()`,
        checking_until: null,
        updated_at: sql`now()`,
      }),
    )
    .execute();
}
