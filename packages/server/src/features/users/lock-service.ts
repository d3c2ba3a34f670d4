import { sql, type Transaction } from "kysely";

import { mayChangeUser } from "../../platform/auth/rights.ts";
import { endedKey } from "../../platform/auth/service.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { forbidden, notFound } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";

/** Locks a user until the transaction ends, so that counts of the user's resources stay valid. */
export async function lockUser(trx: Transaction<DB>, userId: string): Promise<void> {
  await trx
    .selectFrom("users")
    .where("id", "=", userId)
    .select("id")
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
}

/** A user whose row is locked. */
export interface LockedUser {
  readonly id: string;
  readonly username: string;
  readonly email: string;
  readonly name: string;
  readonly status: string;
  readonly roles: readonly string[];
}

/**
 * Locks a user until the transaction ends, and resolves to their present row: it may have changed since an earlier read,
 * such as while a password was hashed. Throws `NotFound` for a user who was deleted.
 */
export async function lockCurrentUser(trx: Transaction<DB>, userId: string): Promise<LockedUser> {
  const user = await trx
    .selectFrom("users")
    .where("id", "=", userId)
    .where("deleted", "=", sql.lit(false))
    .select(["id", "username", "email", "name", "status", "roles"])
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (user === undefined) throw notFound();
  return user;
}

/**
 * Resolves to the caller with their present roles. Call it after locking the rows that the change depends on: a concurrent
 * change of roles then comes after the caller's action. Throws `Unauthenticated` for a key that has ended.
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

/**
 * Locks a user whom the caller changes, and checks again whether the caller may: the roles of either may have changed since
 * the request began.
 */
export async function lockChangeable(
  trx: Transaction<DB>,
  caller: UserCaller,
  userId: string,
): Promise<LockedUser> {
  const user = await lockCurrentUser(trx, userId);
  const current = await currentCaller(trx, caller);
  if (user.id !== caller.id) requireChange(current, user);
  return user;
}

/** Throws `Forbidden` if the caller may not change the user. */
export function requireChange(
  caller: UserCaller,
  user: { readonly id: string; readonly roles: readonly string[] },
): void {
  if (mayChangeUser(caller, user)) return;
  throw forbidden(
    "Only owners can change users who have a role. User admins can change the others.",
  );
}

/** Locks the active owners until the transaction ends, and returns whether the user is the only one. Call it before locking the user. */
export async function isLastOwner(trx: Transaction<DB>, userId: string): Promise<boolean> {
  const owners = await trx
    .selectFrom("users")
    .where(sql<boolean>`'owner' = any(roles)`)
    .where("deleted", "=", sql.lit(false))
    .where("status", "=", "active")
    .orderBy("id")
    .forUpdate()
    .select("id")
    .execute();
  return owners.length === 1 && owners[0]?.id === userId;
}
