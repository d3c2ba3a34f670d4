import { sql } from "kysely";

import { generatePassword, hashPassword, requirePassword } from "../../platform/auth/password.ts";
import type { Database, Queryable } from "../../platform/db/database.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { Conflict } from "../../platform/errors/errors.ts";
import { fullGrant, type UserCaller } from "../../platform/http/caller.ts";
import { joinDefaultOrganization } from "../organizations/service.ts";
import { insertUser, selectFirstOwner, updateUser } from "./queries.ts";
import { checkNames } from "./service.ts";

export async function hasUsers(db: Queryable): Promise<boolean> {
  return (await countUsers(db)) > 0;
}

interface FirstUser {
  readonly username: string;
  readonly email: string;
  readonly name: string;
  /** Empty: no password matches. */
  readonly passwordHash: string;
}

interface CreatedFirstUser {
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
  // The request needs no account, and hashing is slow.
  if (await hasUsers(db)) throw alreadyCreated();
  return insertFirstUser(db, { ...input, passwordHash: await hashPassword(password) });
}

/** Creates the first user with a hashed password, or without one. */
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

/** The administrator of a new deployment. */
interface AdminInput {
  readonly username: string;
  readonly email: string;
  /** Undefined: `issueAdminPassword` generates one. */
  readonly password: string | undefined;
}

/** A generated password, to be shown once. */
interface IssuedPassword {
  readonly email: string;
  readonly password: string;
}

/**
 * Creates the administrator when there is no user yet. Without a given password the administrator cannot log in
 * until `issueAdminPassword`, so a start that fails before it shows the password loses nothing. Resolves to whether the
 * given password was set now.
 */
export async function ensureAdmin(db: Database, input: AdminInput): Promise<boolean> {
  const { username, email, password } = input;
  const isNew = !(await hasUsers(db));
  if (!isNew && (password === undefined || !(await lacksAdminPassword(db)))) return false;
  const passwordHash = password === undefined ? "" : await hashValid(password);
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

function hashValid(password: string): Promise<string> {
  requirePassword(password);
  return hashPassword(password);
}

async function lacksAdminPassword(db: Database): Promise<boolean> {
  return (await selectAdminWithoutPassword(db).executeTakeFirst()) !== undefined;
}

/**
 * Generates a password for the administrator who has none. Undefined when there is no such administrator. Call it when
 * the password can be shown at once: only its hash is stored.
 */
export async function issueAdminPassword(db: Database): Promise<IssuedPassword | undefined> {
  if (!(await lacksAdminPassword(db))) return undefined;
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

async function countUsers(db: Queryable): Promise<number> {
  const row = await db
    .selectFrom("users")
    .where("is_system", "=", sql.lit(false))
    .where("deleted", "=", sql.lit(false))
    .select(sql<number>`count(*)`.as("count"))
    .executeTakeFirstOrThrow();
  return row.count;
}

/** Makes other attempts to create the first user wait until the transaction ends. */
async function lockUsers(db: Queryable): Promise<void> {
  await sql`lock table users in share row exclusive mode`.execute(db);
}

/** Selects the administrator whom a start created that failed before it showed a password. */
function selectAdminWithoutPassword(db: Queryable) {
  return db
    .selectFrom("users")
    .where(sql<boolean>`'owner' = any(roles)`)
    .where("deleted", "=", sql.lit(false))
    .where("login_type", "=", "password")
    .where("password_hash", "=", "")
    .orderBy("created_at")
    .limit(1)
    .select(["id", "email"]);
}
