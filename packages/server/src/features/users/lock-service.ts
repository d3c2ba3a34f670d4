import { sql, type Transaction } from "kysely";

import { endedKey } from "../../platform/auth/service.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { notFound } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";

/**
 * Holds off other requests that lock the same user until the transaction ends, so that counts of the user's resources
 * stay valid.
 */
export async function lockUser(trx: Transaction<DB>, userId: string): Promise<void> {
  await trx
    .selectFrom("users")
    .where("id", "=", userId)
    .select("id")
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
}

/** A user as the locked row has them. */
export interface LockedUser {
  readonly id: string;
  readonly username: string;
  readonly name: string;
  readonly status: string;
  readonly roles: readonly string[];
}

/**
 * Locks a user until the transaction ends, and resolves to them as they are now: what was read before, such as before a
 * password was hashed, may have changed since. Throws `NotFound` for a user who was deleted.
 */
export async function lockCurrentUser(trx: Transaction<DB>, userId: string): Promise<LockedUser> {
  const user = await trx
    .selectFrom("users")
    .where("id", "=", userId)
    .where("deleted", "=", sql.lit(false))
    .select(["id", "username", "name", "status", "roles"])
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (user === undefined) throw notFound();
  return user;
}

/**
 * Resolves to a caller with the roles that they have now; call it after the rows that the change depends on were locked. A
 * later change of those roles is later than what the caller does. Throws `Unauthenticated` for a key that has ended.
 */
export async function currentCaller(trx: Transaction<DB>, caller: UserCaller): Promise<UserCaller> {
  const now = await trx
    .selectFrom("api_keys as key")
    .innerJoin("users as user", "user.id", "key.user_id")
    .where("key.id", "=", caller.keyId)
    .where("user.deleted", "=", sql.lit(false))
    .where("user.status", "<>", "suspended")
    .select("user.roles")
    .executeTakeFirst();
  if (now === undefined) throw endedKey();
  return { ...caller, roles: now.roles };
}
