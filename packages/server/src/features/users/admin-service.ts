import { generatePassword, hashPassword, requirePassword } from "../../platform/auth/password.ts";
import type { Database } from "../../platform/db/database.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { Conflict } from "../../platform/errors/errors.ts";
import { fullGrant, type UserCaller } from "../../platform/http/caller.ts";
import { selectAdminWithoutPassword, selectFirstOwner, updateUser } from "./queries.ts";
import { hasUsers, insertFirstUser } from "./service.ts";

/** The administrator of a new deployment. */
export interface AdminInput {
  readonly username: string;
  readonly email: string;
  /** Undefined: `issueAdminPassword` generates one. */
  readonly password: string | undefined;
}

/** A generated password, to be shown once. */
export interface IssuedPassword {
  readonly email: string;
  readonly password: string;
}

/**
 * Creates the administrator when there is no user yet. Without a given password nobody can log in as the administrator
 * until `issueAdminPassword`, so that a start that fails before the password is shown loses nothing. Resolves to
 * whether the given password was set now.
 */
export async function ensureAdmin(db: Database, input: AdminInput): Promise<boolean> {
  const { username, email, password } = input;
  const isNew = !(await hasUsers(db));
  if (!isNew && (password === undefined || !(await isPasswordOwed(db)))) return false;
  const passwordHash = password === undefined ? "" : await hashGiven(password);
  if (!isNew) return (await setAdminPassword(db, passwordHash)) !== undefined;
  try {
    await insertFirstUser(db, { username, email, name: "", passwordHash });
    return password !== undefined;
  } catch (error) {
    // Another replica came first.
    if (error instanceof Conflict) return false;
    throw error;
  }
}

function hashGiven(password: string): Promise<string> {
  requirePassword(password);
  return hashPassword(password);
}

async function isPasswordOwed(db: Database): Promise<boolean> {
  return (await selectAdminWithoutPassword(db).executeTakeFirst()) !== undefined;
}

/**
 * Generates a password for the administrator who has none. Undefined when there is no such administrator. Call it when
 * the password can be shown at once: only its hash is stored.
 */
export async function issueAdminPassword(db: Database): Promise<IssuedPassword | undefined> {
  if (!(await isPasswordOwed(db))) return undefined;
  const password = generatePassword();
  const email = await setAdminPassword(db, await hashPassword(password));
  return email === undefined ? undefined : { email, password };
}

/** Sets the password and resolves to the administrator's email; undefined when none lacks a password. */
function setAdminPassword(db: Database, passwordHash: string): Promise<string | undefined> {
  return inTransaction(db, async (trx) => {
    const admin = await selectAdminWithoutPassword(trx).forUpdate().executeTakeFirst();
    if (admin === undefined) return undefined;
    await updateUser(trx, admin.id, { password_hash: passwordHash });
    return admin.email;
  });
}

/** Reads the oldest user with the role owner, as whom the server itself acts. */
export async function readFirstOwner(
  db: Database,
): Promise<(UserCaller & { readonly email: string }) | undefined> {
  const row = await selectFirstOwner(db);
  return row === undefined ? undefined : { ...row, keyId: "", grant: fullGrant, origin: undefined };
}
