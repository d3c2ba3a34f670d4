import { createHash } from "node:crypto";

import type { Logger } from "@slipway/runtime";
import { sql, type Transaction } from "kysely";

import type { Database, Queryable } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import type { RequestOrigin } from "../../platform/http/request-origin.ts";
import { recordAudit } from "../audit/service.ts";
import { keyEntry } from "../users/audit.ts";
import { lockUser } from "../users/lock-service.ts";
import { LogInError } from "./errors.ts";
import { type LogOutDemand, maxLogOutTokenSeconds } from "./log-out-token.ts";
import { logInSeconds } from "./pending-cookie.ts";
import type { Provider } from "./providers.ts";
import { selectUserOfIdentity } from "./queries.ts";

/** The time for which used tokens are kept: longer than any token is accepted, and than any login is in progress. */
const keptTokenSeconds = logInSeconds + maxLogOutTokenSeconds;

/** Returns the hash by which the session at a provider is stored; undefined if the provider names none. */
export function hashProviderSession(
  { issuer }: Pick<Provider, "issuer">,
  sessionId: string | undefined,
): Buffer | undefined {
  if (sessionId === undefined || sessionId === "") return undefined;
  return hashOf(issuer, sessionId);
}

function hashPerson({ issuer }: Pick<Provider, "issuer">, subject: string): Buffer {
  return hashOf(issuer, "sub", subject);
}

function hashOf(...texts: readonly string[]): Buffer {
  return createHash("sha256").update(JSON.stringify(texts)).digest();
}

/** A login at a provider that is about to open a session here. */
export interface ArrivingLogIn {
  readonly subject: string;
  readonly sessionId: string | undefined;
  /** The time since the login began here, in seconds. */
  readonly ageSeconds: number;
}

/**
 * Returns whether the provider has logged the person out since their login began: its answer may have been sent before. Until the
 * transaction ends, a log-out waits for it, and then ends its session.
 */
export async function wasLoggedOut(
  trx: Transaction<DB>,
  provider: Pick<Provider, "issuer">,
  { subject, sessionId, ageSeconds }: ArrivingLogIn,
): Promise<boolean> {
  const session = hashProviderSession(provider, sessionId);
  const hashes = [...(session === undefined ? [] : [session]), hashPerson(provider, subject)];
  for (const hash of hashes) await lockEnded(trx, hash);
  const ended = await trx
    .selectFrom("used_logout_tokens")
    .where("ended_hash", "in", hashes)
    .where("used_at", ">", sql<string>`now() - make_interval(secs => ${ageSeconds})`)
    .select("used_at")
    .executeTakeFirst();
  return ended !== undefined;
}

/** Makes logins and log-outs of one session or person come one after the other. Comes before the lock of a user. */
async function lockEnded(trx: Transaction<DB>, hash: Buffer): Promise<void> {
  const lockId = hash.readBigInt64BE().toString();
  await sql`select pg_advisory_xact_lock(${lockId}::bigint)`.execute(trx);
}

/**
 * Ends the sessions that a provider demands to end: those that began in the named session there, with those that they
 * created or approved, or all of the person. API tokens stay, and sessions that others created. Rejects with `LogInError` for a
 * token that was used before.
 */
export async function endProviderSessions(
  { db, logger }: { readonly db: Database; readonly logger: Logger },
  provider: Pick<Provider, "id" | "issuer">,
  demand: LogOutDemand,
  origin: RequestOrigin,
): Promise<void> {
  const ended = await inTransaction(db, async (trx) => {
    const session = hashProviderSession(provider, demand.sessionId);
    const endedHash = session ?? hashPerson(provider, demand.subject ?? "");
    await lockEnded(trx, endedHash);
    const token = { token_hash: hashOf(provider.issuer, demand.id), ended_hash: endedHash };
    if (!(await insertUsedToken(trx, token))) {
      throw new LogInError("failed", "the log-out token was used before");
    }
    return endDemanded(trx, provider, { subject: demand.subject, session }, origin);
  });
  if (ended === undefined) return;
  const fields = { user: ended.userId, provider: provider.id, sessions: ended.count };
  logger.info(fields, "sessions ended by the login provider");
}

interface EndedSessions {
  readonly userId: string;
  readonly count: number;
}

async function endDemanded(
  trx: Transaction<DB>,
  { id: providerId, issuer }: Pick<Provider, "id" | "issuer">,
  { subject, session }: Pick<LogOutDemand, "subject"> & { readonly session: Buffer | undefined },
  origin: RequestOrigin,
): Promise<EndedSessions | undefined> {
  const userId =
    subject === undefined
      ? session && (await selectUserOfSession(trx, session))
      : (await selectUserOfIdentity(trx, { issuer, subject }))?.id;
  if (userId === undefined) return undefined;
  // A login at the same moment comes first and ends too, or begins after the log-out.
  await lockUser(trx, userId);
  const count = await deleteSessions(trx, userId, session);
  if (count === 0) return undefined;
  const entry = keyEntry({ id: userId, origin }, { userId, name: "" }, "delete");
  const fields = { login_provider: providerId, reason: "logged out at the provider" };
  await recordAudit(trx, { ...entry, fields });
  return { userId, count };
}

/** Stores a token with what it ends, and forgets old ones; false if it was used before. */
async function insertUsedToken(
  db: Queryable,
  token: { readonly token_hash: Buffer; readonly ended_hash: Buffer },
): Promise<boolean> {
  await db
    .deleteFrom("used_logout_tokens")
    .where("used_at", "<", sql<string>`now() - make_interval(secs => ${keptTokenSeconds})`)
    .execute();
  const { numInsertedOrUpdatedRows = 0n } = await db
    .insertInto("used_logout_tokens")
    .values(token)
    .onConflict((conflict) => conflict.column("token_hash").doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows > 0n;
}

async function selectUserOfSession(db: Queryable, session: Buffer): Promise<string | undefined> {
  const key = await db
    .selectFrom("api_keys")
    .where("provider_session", "=", session)
    .select("user_id")
    .executeTakeFirst();
  return key?.user_id;
}

/** Deletes the sessions of a user that began in one session at their provider, or in any if none is named. */
async function deleteSessions(
  db: Queryable,
  userId: string,
  session: Buffer | undefined,
): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom("api_keys")
    .where("user_id", "=", userId)
    .where("login_type", "<>", "token")
    .where("created_by", "is", null)
    .$if(session !== undefined, (query) =>
      query.where("provider_session", "=", session ?? Buffer.alloc(0)),
    )
    .executeTakeFirst();
  return Number(numDeletedRows);
}
