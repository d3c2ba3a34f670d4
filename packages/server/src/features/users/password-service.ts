import { sql, type Transaction } from "kysely";

import type { PasswordAttempts } from "../../platform/auth/password-attempts.ts";
import {
  generatePassword,
  hashPassword,
  requirePassword,
  verifyPassword,
} from "../../platform/auth/password.ts";
import { endSessionsOf } from "../../platform/auth/queries.ts";
import type { Database, Queryable } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { Invalid, invalidField, NotFound } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { type AuditActor, diffOf } from "../audit/service.ts";
import { recordUserChange } from "./audit.ts";
import { lockChangeable, requireChange } from "./lock-service.ts";
import {
  lockCheckedUser,
  selectFirstOwner,
  selectPassword,
  selectUserByName,
  updateUser,
  users,
} from "./queries.ts";
import { findVisibleUser } from "./service.ts";

/** Sets a password and ends all sessions and tokens of the user, the caller's own too (docs/protocol/clients.md §5.2). */
export async function updatePassword(
  { db, attempts }: { readonly db: Database; readonly attempts: PasswordAttempts },
  caller: UserCaller,
  reference: string,
  passwords: { readonly old: string; readonly new: string },
): Promise<void> {
  const user = await findVisibleUser(db, caller, reference);
  const isOwn = user.id === caller.id;
  if (!isOwn) requireChange(caller, user);
  const current = await selectPassword(db, user.id);
  if (current.login_type !== "password") {
    throw noPassword(current.login_type);
  }
  const isOld = (): Promise<boolean> => verifyPassword(passwords.old, current.password_hash);
  if (isOwn && !(await attempts.check(user.id, caller.origin?.ip ?? "", isOld))) {
    throw wrongOldPassword();
  }
  requirePassword(passwords.new);
  if (await verifyPassword(passwords.new, current.password_hash)) {
    throw invalidField("password", "must differ from the old password");
  }
  const hash = await hashPassword(passwords.new);
  await inTransaction(db, async (trx) => {
    // Knowledge of the old password alone does not undo a concurrent reset.
    if (isOwn && !(await lockCheckedUser(trx, user.id, current.password_hash))) {
      throw wrongOldPassword();
    }
    if (!isOwn) await lockChangeable(trx, caller, user.id);
    await storePassword(trx, caller, user, hash);
  });
}

function wrongOldPassword(): Invalid {
  const text = "Old password is incorrect.";
  return invalidField("old_password", text, text);
}

interface PasswordReset {
  readonly username: string;
  readonly email: string;
  /** Undefined when the password was given. */
  readonly generated: string | undefined;
  /** The type of the login provider that the password replaces; undefined if the user had a password. */
  readonly replaced: "oidc" | "github" | undefined;
  /** Suspended users cannot log in with it. */
  readonly isSuspended: boolean;
}

/**
 * Resets the password of a user, by default the oldest owner, for an operator with access to the database. The user is
 * named by username or email. A user who logs in at a provider logs in with the password from then on: the provider may be
 * gone. Throws `NotFound` when there is no such user, `Invalid` when the user logs in nowhere.
 */
export async function resetPassword(
  db: Database,
  reference: string | undefined,
  password: string | undefined,
): Promise<PasswordReset> {
  const user = await findSubject(db, reference);
  const { login_type: type } = user;
  const replaced = type === "oidc" || type === "github" ? type : undefined;
  if (type !== "password" && replaced === undefined) throw noPassword(type);
  if (password !== undefined) requirePassword(password);
  const generated = password === undefined ? generatePassword() : undefined;
  const passwordHash = await hashPassword(password ?? generated ?? "");
  const by = { id: undefined, origin: undefined };
  await inTransaction(db, async (trx) => {
    await storePassword(trx, by, user, passwordHash);
    if (replaced === undefined) return;
    // Their person at the provider then has no account here (migration 0078).
    await updateUser(trx, user.id, { login_type: "password" });
    const diff = diffOf({ login_type: type }, { login_type: "password" });
    await recordUserChange(trx, by, user, "write", diff);
  });
  const { username, email, status } = user;
  return { username, email, generated, replaced, isSuspended: status === "suspended" };
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
function noPassword(loginType: string): Invalid {
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

function selectUserByEmail(db: Queryable, email: string) {
  return users(db)
    .where(sql`lower(u.email)`, "=", email.toLowerCase())
    .executeTakeFirst();
}
