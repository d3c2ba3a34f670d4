import type { Transaction } from "kysely";

import { generatePassword, hashPassword, requirePassword } from "../../platform/auth/password.ts";
import { endSessionsOf } from "../../platform/auth/queries.ts";
import type { Database } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { Invalid, NotFound } from "../../platform/errors/errors.ts";
import type { AuditActor } from "../audit/service.ts";
import { recordUserChange } from "./audit.ts";
import { selectFirstOwner, selectUserByEmail, selectUserByName, updateUser } from "./queries.ts";

export interface PasswordReset {
  readonly username: string;
  readonly email: string;
  /** Undefined when the password was given. */
  readonly generated: string | undefined;
  /** Suspended users cannot log in with it. */
  readonly isSuspended: boolean;
}

/**
 * Resets the password of a user, by default the oldest owner, for an operator with access to the database. The user is
 * named by username or email. Throws `NotFound` when there is no such user, `Invalid` when the user has no password.
 */
export async function resetPassword(
  db: Database,
  reference: string | undefined,
  password: string | undefined,
): Promise<PasswordReset> {
  const user = await findSubject(db, reference);
  if (user.login_type !== "password") throw noPassword(user.login_type);
  if (password !== undefined) requirePassword(password);
  const generated = password === undefined ? generatePassword() : undefined;
  const passwordHash = await hashPassword(password ?? generated ?? "");
  const by = { id: undefined, origin: undefined };
  await inTransaction(db, (trx) => storePassword(trx, by, user, passwordHash));
  const { username, email, status } = user;
  return { username, email, generated, isSuspended: status === "suspended" };
}

/**
 * Replaces a password, records the actor, and ends every session and token of the user, and those that the user created
 * for others.
 */
export async function storePassword(
  trx: Transaction<DB>,
  by: AuditActor,
  user: { readonly id: string; readonly username: string },
  passwordHash: string,
): Promise<void> {
  await updateUser(trx, user.id, { password_hash: passwordHash });
  const secret = { password: { old: "", new: "", secret: true } };
  await recordUserChange(trx, by, user, "write", secret);
  await endSessionsOf(trx, user.id);
}

/** Creates the refusal for the password of a user who logs in by other means. */
export function noPassword(loginType: string): Invalid {
  return new Invalid("This user does not log in with a password.", {
    detail: `The login type of the user is "${loginType}".`,
  });
}

async function findSubject(db: Database, reference: string | undefined) {
  const name = reference ?? (await selectFirstOwner(db))?.username;
  if (name === undefined)
    throw new NotFound("There is no owner yet. Start the server once to create one.");
  const user = (await selectUserByName(db, name)) ?? (await selectUserByEmail(db, name));
  if (user === undefined) throw new NotFound(`There is no user "${name}".`);
  return user;
}
