import { createHash } from "node:crypto";

import { type Selectable, sql, type Transaction } from "kysely";

import type { PasswordAttempts } from "../../platform/auth/password-attempts.ts";
import { hashPassword, isFormerHash, verifyPassword } from "../../platform/auth/password.ts";
import { activateDormant, endSession } from "../../platform/auth/queries.ts";
import { createSession, keyLifetimes } from "../../platform/auth/session-key.ts";
import type { Database, Queryable } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { Forbidden, type Refusal, Unauthenticated } from "../../platform/errors/errors.ts";
import { addressKey } from "../../platform/fields/address.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { refusedOrigin, type RequestOrigin } from "../../platform/http/request-origin.ts";
import type { AuditNotes } from "../audit/note-service.ts";
import { keyEntry, recordKeyChange } from "./audit.ts";
import { lockUser } from "./lock-service.ts";
import { lockCheckedUser, selectPassword } from "./queries.ts";

export interface Credentials {
  readonly email: string;
  readonly password: string;
}

/** The dependencies of a login. */
export interface LogInNeeds {
  readonly db: Database;
  readonly attempts: PasswordAttempts;
  readonly notes: AuditNotes;
}

/** A failed login to an account is recorded once in this time for each address and reason. */
const noteFailureOnceInMs = 10 * 60_000;

/** A session that was created, whose token is not stored. */
export interface NewSession {
  readonly token: string;
  readonly username: string;
}

/**
 * Checks email and password and creates a session, by default a browser's. An unknown account is refused after the same
 * time and with the same message as a wrong password, and its failures count as well. The audit trail does not record it:
 * strangers can invent accounts, and people type passwords into the field for the email.
 */
export async function logIn(
  { db, attempts, notes }: LogInNeeds,
  { email, password }: Credentials,
  origin: RequestOrigin,
  lifetimeSeconds: number = keyLifetimes.browserSession,
): Promise<NewSession> {
  const user = await selectCredentials(db, email);
  const account = user?.id ?? unknownAccount(email);
  const isRight = await attempts.check(account, origin.ip, () =>
    verifyPassword(password, user?.password_hash ?? ""),
  );
  if (user === undefined) throw wrongCredentials();
  const refusal = refusalOf(user, isRight);
  if (refusal !== undefined) {
    noteFailure(notes, user.id, refusal, origin);
    throw refusal;
  }
  const { id, username, status, password_hash: passwordHash } = user;
  const renewed = isFormerHash(passwordHash) ? await hashPassword(password) : undefined;
  return inTransaction(db, async (trx) => {
    await lockUser(trx, id);
    if (!(await isStillRight(trx, { id, passwordHash, password }))) throw wrongCredentials();
    if (renewed !== undefined) await renewPasswordHash(trx, { id, passwordHash, renewed });
    await recordKeyChange(trx, { id, origin }, { userId: id, name: "" }, "login");
    if (status === "dormant") await activateDormant(trx, id);
    const session = { userId: id, lifetimeSeconds, loginType: "password", origin } as const;
    return { token: await createSession(trx, session), username };
  });
}

/**
 * Returns whether a checked password is still that of the locked account; a concurrent login may have replaced the hash of an
 * earlier release with a newer one.
 */
async function isStillRight(
  trx: Transaction<DB>,
  checked: { readonly id: string; readonly passwordHash: string; readonly password: string },
): Promise<boolean> {
  const { id, passwordHash, password } = checked;
  if (await lockCheckedUser(trx, id, passwordHash)) return true;
  if (!isFormerHash(passwordHash)) return false;
  const { password_hash: now } = await selectPassword(trx, id);
  return (await verifyPassword(password, now)) && lockCheckedUser(trx, id, now);
}

/**
 * Returns a key that counts like an existing account. Short, and without the text entered, because it stays in memory.
 */
function unknownAccount(email: string): string {
  return `unknown ${createHash("sha256").update(email.toLowerCase()).digest("base64url")}`;
}

function noteFailure(notes: AuditNotes, id: string, refusal: Refusal, origin: RequestOrigin): void {
  const by = { id, origin: refusedOrigin(origin, refusal) };
  const key = `log-in ${id} ${addressKey(origin.ip)} ${refusal.message}`;
  const entry = keyEntry(by, { userId: id, name: "" }, "login");
  notes.recordLater(entry, { key, onceInMs: noteFailureOnceInMs });
}

/** The columns of a user that a login checks. */
type Account = Pick<
  Selectable<DB["users"]>,
  "id" | "username" | "password_hash" | "status" | "login_type"
>;

function refusalOf(user: Account, isRight: boolean): Refusal | undefined {
  if (!isRight) return wrongCredentials();
  if (user.login_type !== "password") {
    return new Forbidden(`This user logs in with ${user.login_type}, not with a password.`);
  }
  if (user.status !== "suspended") return undefined;
  return new Unauthenticated(
    "Your account is suspended. Contact an admin to reactivate your account.",
  );
}

function wrongCredentials(): Unauthenticated {
  return new Unauthenticated("Incorrect email or password.");
}

/** Ends the caller's session. */
export async function logOut(db: Database, caller: UserCaller): Promise<void> {
  await inTransaction(db, async (trx) => {
    await endSession(trx, caller.keyId);
    await recordKeyChange(trx, caller, { userId: caller.id, name: "" }, "logout");
  });
}

/** Selects what a login checks. */
export function selectCredentials(db: Queryable, email: string): Promise<Account | undefined> {
  return db
    .selectFrom("users")
    .where(sql`lower(email)`, "=", email.toLowerCase())
    .where("deleted", "=", sql.lit(false))
    .where("is_system", "=", sql.lit(false))
    .select(["id", "username", "password_hash", "status", "login_type"])
    .executeTakeFirst();
}

/** Replaces the hash of a password with a newer one of the same password, unless the password was changed meanwhile. */
async function renewPasswordHash(
  db: Queryable,
  change: { readonly id: string; readonly passwordHash: string; readonly renewed: string },
): Promise<void> {
  await db
    .updateTable("users")
    .set({ password_hash: change.renewed })
    .where("id", "=", change.id)
    .where("password_hash", "=", change.passwordHash)
    .execute();
}
