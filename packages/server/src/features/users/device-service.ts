import type { DeviceLogin, WaitingProgram } from "@slipway/api/users/device-routes";
import { sql, type Transaction } from "kysely";

import { requireOwnSession } from "../../platform/auth/key-limits.ts";
import type { SealedNotes } from "../../platform/auth/sealed-notes.ts";
import { createSession, keyLifetimes } from "../../platform/auth/session-key.ts";
import type { Queryable } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { Invalid, invalidField } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import type { RequestOrigin } from "../../platform/http/request-origin.ts";
import type { Platform } from "../../platform/platform.ts";
import { recordAudit } from "../audit/service.ts";
import { keyEntry, recordKeyChange } from "./audit.ts";
import { type DeviceCodes, hashCode } from "./device-code.ts";
import { findWaitingProgram, tellWaitingProgram } from "./device-lookup.ts";
import { currentCaller, lockUser } from "./lock-service.ts";

/** The page at which people approve codes. */
export const devicePagePath = "/login/device";
/** The time in which a person approves a code. */
const codeSeconds = 10 * 60;
/** The time in which a program collects the session after the approval. */
const approvalSeconds = 5 * 60;
const intervalSeconds = 2;
const purpose = "device login";
const anyone = "anyone";

export interface DeviceNeeds extends Pick<Platform, "db" | "pubsub" | "clock"> {
  readonly notes: SealedNotes;
  readonly codes: DeviceCodes;
}

/**
 * Begins a login of a program without a browser. The program keeps its code in an encrypted note, so that strangers who begin
 * logins take no room here: only the approval of a user is stored.
 */
export async function beginDeviceLogin(
  { notes, codes }: DeviceNeeds,
  serverUrl: string,
): Promise<DeviceLogin> {
  const code = codes.create();
  const key = { userId: anyone, purpose, seconds: codeSeconds };
  const uri = `${serverUrl}${devicePagePath}`;
  return {
    device_code: await notes.seal({ code }, key),
    user_code: code,
    verification_uri: uri,
    verification_uri_complete: `${uri}?${new URLSearchParams({ code }).toString()}`,
    expires_in: codeSeconds,
    interval: intervalSeconds,
  };
}

/** A code in its usual form, and the program that waits for it. */
interface DeviceRequest {
  readonly code: string;
  /** Undefined if none asked for its session while the server waited. */
  readonly program: WaitingProgram | undefined;
}

/** Finds the program that waits for a code. Throws `Invalid` for a text that is not a code. */
export async function findDeviceRequest(
  needs: DeviceNeeds,
  caller: UserCaller,
  text: string,
  signal: AbortSignal,
): Promise<DeviceRequest> {
  const code = readCode(needs, caller, text);
  return { code, program: await findWaitingProgram(needs, caller, hashCode(code), signal) };
}

type Decision = "approved" | "refused";

/**
 * Approves or refuses a code: the program that has it gets a session of the caller, if the caller's own session lives until
 * then, or learns of the refusal. A user decides about one code at a time. Throws `Invalid` for a text that is not a code.
 */
export async function decideDeviceLogin(
  needs: DeviceNeeds,
  caller: UserCaller,
  text: string,
  decision: Decision,
): Promise<void> {
  const codeHash = hashCode(readCode(needs, caller, text));
  const isRefused = decision === "refused";
  await inTransaction(needs.db, async (trx) => {
    await lockUser(trx, caller.id);
    await currentCaller(trx, caller);
    await deleteApprovals(trx, caller.id);
    await insertApproval(trx, { codeHash, userId: caller.id, keyId: caller.keyId, isRefused });
    const entry = keyEntry(caller, { userId: caller.id, name: "" }, isRefused ? "login" : "create");
    await recordAudit(trx, { ...entry, fields: { device_login: decision } });
  });
}

/** Returns the code that a caller entered; throws `Forbidden` for a caller who may not decide about one. */
function readCode({ codes }: DeviceNeeds, caller: UserCaller, text: string): string {
  requireOwnSession(caller, "Only a session that its user began can approve a login.");
  const code = codes.read(text);
  if (code === undefined) throw invalidField("user_code", "is not a code of this server");
  return code;
}

/**
 * Redeems an approved code, once, and resolves to the token of a session. Throws `Invalid` until it is approved; meanwhile
 * users who look at the code see the program.
 */
export async function redeemDeviceLogin(
  { db, pubsub, notes }: DeviceNeeds,
  deviceCode: string,
  origin: RequestOrigin,
): Promise<string> {
  const note = await notes.open(deviceCode, { userId: anyone, purpose });
  const { code, exp: endSeconds } = note ?? {};
  if (typeof code !== "string" || endSeconds === undefined) throw notRedeemed("expired_token");
  const codeHash = hashCode(code);
  const decided = await fresh(db, codeHash).executeTakeFirst();
  if (decided === undefined) {
    const begunAt = new Date((endSeconds - codeSeconds) * 1000);
    await tellWaitingProgram({ db, pubsub }, codeHash, origin, begunAt);
    throw notRedeemed("authorization_pending");
  }
  if (decided.is_refused) throw notRedeemed("access_denied");
  const { user_id: userId } = decided;
  return inTransaction(db, async (trx) => {
    // First: whatever ends all keys of the user then ends the new one too, or has ended the approval.
    await lockUser(trx, userId);
    const approval = await takeApproval(trx, codeHash);
    if (approval === undefined || approval.is_refused) throw notRedeemed("expired_token");
    const { login_type: type } = approval;
    await recordKeyChange(trx, { id: userId, origin }, { userId, name: "" }, "login");
    return createSession(trx, {
      userId,
      lifetimeSeconds: keyLifetimes.commandSession,
      loginType: type === "token" ? "password" : type,
      providerSession: approval.provider_session ?? undefined,
      origin,
    });
  });
}

/** Clients ask again while the detail is `authorization_pending` (RFC 8628 section 3.5). */
function notRedeemed(detail: "authorization_pending" | "access_denied" | "expired_token"): Invalid {
  return new Invalid("The login is not approved.", { detail });
}

async function deleteApprovals(db: Queryable, userId: string): Promise<void> {
  await db.deleteFrom("device_approvals").where("user_id", "=", userId).execute();
}

interface Approval {
  readonly codeHash: Buffer;
  readonly userId: string;
  readonly keyId: string;
  readonly isRefused: boolean;
}

async function insertApproval(db: Queryable, approval: Approval): Promise<void> {
  const { codeHash, userId, keyId, isRefused } = approval;
  await db
    .insertInto("device_approvals")
    .values({ code_hash: codeHash, user_id: userId, key_id: keyId, is_refused: isRefused })
    // Whoever decided first keeps it.
    .onConflict((conflict) => conflict.column("code_hash").doNothing())
    .execute();
}

function fresh(db: Queryable, codeHash: Buffer) {
  return db
    .selectFrom("device_approvals as approval")
    .innerJoin("users as user", "user.id", "approval.user_id")
    .innerJoin("api_keys as key", "key.id", "approval.key_id")
    .where("approval.code_hash", "=", codeHash)
    .where(
      "approval.created_at",
      ">",
      sql<string>`now() - make_interval(secs => ${approvalSeconds})`,
    )
    .where("key.expires_at", ">", sql<string>`now()`)
    .where("user.deleted", "=", sql.lit(false))
    .where("user.status", "=", "active")
    .select(["approval.user_id", "approval.is_refused", "key.login_type", "key.provider_session"]);
}

/** Deletes an approval and returns it, if it still counts. Its user must be locked, so that it is taken once. */
async function takeApproval(trx: Transaction<DB>, codeHash: Buffer) {
  const approval = await fresh(trx, codeHash).executeTakeFirst();
  await trx.deleteFrom("device_approvals").where("code_hash", "=", codeHash).execute();
  return approval;
}
