import { nameProblem } from "@slipway/api";

import { hashPassword, requirePassword } from "../../platform/auth/password.ts";
import { mayActFor, maySeeUsers } from "../../platform/auth/rights.ts";
import type { Database, Queryable } from "../../platform/db/database.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { Conflict, invalidField, notFound } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { readUuid } from "../../platform/http/uuid.ts";
import { joinDefaultOrganization } from "../organizations/service.ts";
import {
  countUsers,
  insertUser,
  lockUsers,
  selectUserById,
  selectUserByName,
  type UserRow,
} from "./queries.ts";

/**
 * Finds the user for whom the caller may act, by id, name or `me`. Any other user appears not to exist, because the
 * caller may not see that user's resources.
 */
export async function findUser(
  db: Queryable,
  caller: UserCaller,
  reference: string,
): Promise<UserRow> {
  const found = await findVisibleUser(db, caller, reference);
  if (!mayActFor(caller, found.id)) throw notFound();
  return found;
}

/** Returns the id of such a user; the caller's own without a query. */
export async function findUserId(
  db: Queryable,
  caller: UserCaller,
  reference: string,
): Promise<string> {
  if (reference === "me" || reference === caller.id) return caller.id;
  return (await findUser(db, caller, reference)).id;
}

/** Finds a user whom the caller may see, which takes less than acting for the user; throws `NotFound`. */
export async function findVisibleUser(
  db: Queryable,
  caller: UserCaller,
  reference: string,
): Promise<UserRow> {
  const id = reference === "me" ? caller.id : readUuid(reference);
  const found = await (id === undefined ? selectUserByName(db, reference) : selectUserById(db, id));
  if (found === undefined || (found.id !== caller.id && !maySeeUsers(caller))) throw notFound();
  return found;
}

/** Reads the roles of a user; none when the user is deleted. */
export async function readRoles(db: Queryable, userId: string): Promise<readonly string[]> {
  return (await selectUserById(db, userId))?.roles ?? [];
}

export async function hasUsers(db: Queryable): Promise<boolean> {
  return (await countUsers(db)) > 0;
}

export interface FirstUser {
  readonly username: string;
  readonly email: string;
  readonly name: string;
  /** Empty: no password matches. */
  readonly passwordHash: string;
}

export interface CreatedFirstUser {
  readonly userId: string;
  readonly organizationId: string;
}

/** Creates the first user, with the role owner; throws `Conflict` when there is a user already. */
export async function createFirstUser(
  db: Database,
  { password, ...input }: Omit<FirstUser, "passwordHash"> & { readonly password: string },
): Promise<CreatedFirstUser> {
  checkNames(input);
  requirePassword(password);
  // Anybody may send this, and hashing is slow.
  if (await hasUsers(db)) throw alreadyCreated();
  return insertFirstUser(db, { ...input, passwordHash: await hashPassword(password) });
}

/** Creates the same with a password that is hashed already, or none yet. */
export function insertFirstUser(db: Database, input: FirstUser): Promise<CreatedFirstUser> {
  checkNames(input);
  return inTransaction(db, async (trx) => {
    await lockUsers(trx);
    if (await hasUsers(trx)) throw alreadyCreated();
    const userId = await insertUser(trx, {
      ...input,
      roles: ["owner"],
      loginType: "password",
      status: "active",
    });
    const organization = await joinDefaultOrganization(trx, userId);
    return { userId, organizationId: organization.id };
  });
}

function alreadyCreated(): Conflict {
  return new Conflict("The initial user has already been created.");
}

/** Throws `Invalid` for an invalid username or email address. */
export function checkNames(input: { readonly username: string; readonly email: string }): void {
  const name = nameProblem(input.username);
  if (name !== undefined) throw invalidField("username", name);
  if (!/^[^@\s]+@[^@\s]+$/.test(input.email)) {
    throw invalidField("email", `must be an email address, found "${input.email}"`);
  }
}
