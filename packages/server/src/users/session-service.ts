import { verifyPassword } from "../auth/password.ts";
import { activateDormant, createSession, endSession, keyLifetimes } from "../auth/service.ts";
import type { Database } from "../db/database.ts";
import { inTransaction } from "../db/transaction.ts";
import type { UserCaller } from "../http/caller.ts";
import { HttpError } from "../http/errors.ts";
import type { RequestOrigin } from "../http/request-origin.ts";
import { recordKeyChange } from "./audit.ts";
import { selectCredentials } from "./queries.ts";

export interface Credentials {
  readonly email: string;
  readonly password: string;
}

/**
 * Checks email and password and makes a session, by default a browser's; resolves to its token. The audit trail keeps who
 * came in and who was refused, but no address of somebody unknown: people type passwords there.
 */
export async function logIn(
  db: Database,
  credentials: Credentials,
  origin: RequestOrigin,
  lifetimeSeconds: number = keyLifetimes.browserSession,
): Promise<string> {
  const user = await selectCredentials(db, credentials.email);
  const isRight = await verifyPassword(credentials.password, user?.password_hash ?? "");
  const refusal = refusalOf(user, isRight);
  const by = { id: user?.id, origin: { ...origin, status: refusal?.status ?? origin.status } };
  const token = await inTransaction(db, async (trx) => {
    await recordKeyChange(trx, by, { userId: user?.id, name: "" }, "login");
    if (user === undefined || refusal !== undefined) return undefined;
    if (user.status === "dormant") await activateDormant(trx, user.id);
    return createSession(trx, user.id, lifetimeSeconds);
  });
  if (token === undefined) throw refusal ?? wrongCredentials();
  return token;
}

type FoundUser = Awaited<ReturnType<typeof selectCredentials>>;

function refusalOf(user: FoundUser, isRight: boolean): HttpError | undefined {
  if (user === undefined || !isRight) return wrongCredentials();
  if (user.login_type !== "password") {
    return new HttpError(403, `This user logs in by ${user.login_type}, not by password.`);
  }
  if (user.status !== "suspended") return undefined;
  return new HttpError(
    401,
    "Your account is suspended. Contact an admin to reactivate your account.",
  );
}

function wrongCredentials(): HttpError {
  return new HttpError(401, "Incorrect email or password.");
}

/** Ends the session by which the caller came. */
export async function logOut(db: Database, caller: UserCaller): Promise<void> {
  await inTransaction(db, async (trx) => {
    await endSession(trx, caller.keyId);
    await recordKeyChange(trx, caller, { userId: caller.id, name: "" }, "logout");
  });
}
