import { createHash, randomBytes } from "node:crypto";

import { scopeNames } from "@slipway/api/contract/scopes";
import type { Transaction } from "kysely";

import { endSession, findKey } from "../../platform/auth/queries.ts";
import { isSecretOf, parseSessionToken, renewApiToken } from "../../platform/auth/session-key.ts";
import type { TokenLimits } from "../../platform/auth/token-lifetime.ts";
import type { Database } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import type { RequestOrigin } from "../../platform/http/request-origin.ts";
import { type AuditActor, recordAudit } from "../audit/service.ts";
import { keyEntry } from "../users/audit.ts";
import { currentCaller, lockUser } from "../users/lock-service.ts";
import { addToken } from "../users/token-service.ts";
import type { AuthorizationRequest } from "./authorization-request.ts";
import { hashClientId, type OauthClient } from "./clients.ts";
import { OauthError } from "./errors.ts";
import { type GrantTokens, hashToken, randomToken } from "./grant-tokens.ts";
import {
  deleteUnredeemed,
  type GrantRow,
  insertGrant,
  lockGrantOfCode,
  lockGrantOfKey,
  lockGrantOfRefreshToken,
  markRedeemed,
  rotateRefreshToken,
  selectUserOfCode,
} from "./queries.ts";

export interface GrantNeeds {
  readonly db: Database;
  readonly limits: TokenLimits;
  readonly tokens: GrantTokens;
}

/** The lifetime of an access token. */
const accessSeconds = 3_600;
const maxSlugLength = 32;

/** The tokens that a program receives. */
export interface IssuedTokens {
  readonly accessToken: string;
  readonly expiresInSeconds: number;
  readonly refreshToken: string;
  readonly scopes: readonly string[];
}

/** Grants a program what it asks for, and resolves to the code by which it gets its tokens. */
export async function grantAccess(
  { db }: Pick<GrantNeeds, "db">,
  user: UserCaller,
  request: AuthorizationRequest,
): Promise<string> {
  const { client, clientId, scopes, redirectUri, codeChallenge } = request;
  const code = randomToken();
  await inTransaction(db, async (trx) => {
    await lockUser(trx, user.id);
    await currentCaller(trx, user);
    await deleteUnredeemed(trx, user.id);
    await insertGrant(trx, {
      userId: user.id,
      clientHash: hashClientId(clientId),
      clientId: client.id,
      clientName: client.name,
      scopes,
      redirectUri,
      codeHash: hashToken(code),
      codeChallenge,
      sessionKeyId: user.keyId,
    });
    await recordAudit(trx, clientEntry(user, client, "authorize", { scopes, redirectUri }));
  });
  return code;
}

/** Records that a user refused a program access. */
export async function refuseAccess(
  { db }: Pick<GrantNeeds, "db">,
  user: UserCaller,
  { client, scopes, redirectUri }: AuthorizationRequest,
): Promise<void> {
  await inTransaction(db, (trx) =>
    recordAudit(trx, clientEntry(user, client, "deny", { scopes, redirectUri })),
  );
}

/** Returns the audit entry of a program. */
export function clientEntry(
  by: AuditActor,
  { id, name }: Pick<OauthClient, "id" | "name">,
  action: "register" | "authorize" | "deny",
  fields: Readonly<Record<string, unknown>>,
): Parameters<typeof recordAudit>[1] {
  return {
    by,
    organizationId: undefined,
    action,
    resourceType: "oauth2_provider_app",
    resourceId: id,
    target: name,
    diff: {},
    fields,
  };
}

interface Redemption {
  readonly code: string;
  readonly codeVerifier: string;
  readonly clientId: string;
  readonly redirectUri: string;
}

/**
 * Redeems a code for the first tokens of a grant. A code that was redeemed before ends the grant: someone else has it
 * (RFC 6749 §4.1.2). Throws `OauthError`.
 */
export async function redeemCode(
  { db, limits }: GrantNeeds,
  redemption: Redemption,
  origin: RequestOrigin,
): Promise<IssuedTokens> {
  const codeHash = hashToken(redemption.code);
  return orInvalidGrant(
    await inTransaction(db, async (trx) => {
      const owner = await selectUserOfCode(trx, codeHash);
      if (owner === undefined) return undefined;
      // First: whatever ends all keys of the user then ends the new one too, or has ended the grant.
      await lockUser(trx, owner.user_id);
      const grant = await lockGrantOfCode(trx, codeHash);
      if (grant === undefined) return undefined;
      if (grant.key_id !== null) return endGrant(trx, grant, origin, "its code was used twice");
      if (!grant.is_code_fresh || !mayRedeem(grant, redemption)) return undefined;
      const accessToken = await addToken(trx, actorOf(grant, origin), {
        userId: grant.user_id,
        name: tokenNameOf(grant.client_name),
        lifetimeSeconds: accessSeconds,
        scopes: scopeNames.filter((name) => grant.scopes.includes(name)),
        allowList: ["*:*"],
        createdBy: undefined,
        origin,
      });
      const refreshToken = randomToken();
      const [keyId = ""] = accessToken.split("-", 1);
      await markRedeemed(trx, grant.id, { keyId, refreshHash: hashToken(refreshToken) });
      return issued(trx, limits, { grant, keyId, accessToken, refreshToken });
    }),
  );
}

function mayRedeem(grant: GrantRow, redemption: Redemption): boolean {
  const { clientId, redirectUri, codeVerifier } = redemption;
  const challenge = createHash("sha256").update(codeVerifier).digest("base64url");
  return (
    !grant.is_locked_out &&
    grant.client_hash.equals(hashClientId(clientId)) &&
    grant.redirect_uri === redirectUri &&
    grant.code_challenge === challenge
  );
}

interface Refresh {
  readonly refreshToken: string;
  readonly clientId: string;
}

/**
 * Replaces both tokens of a grant. A refresh token that was replaced before ends the grant, because one of its two users
 * stole it (RFC 9700 §4.14.2); for a minute it gets the same answer instead, which may have been lost. Throws `OauthError`.
 */
export async function refreshGrant(
  { db, limits, tokens }: GrantNeeds,
  { refreshToken: presented, clientId }: Refresh,
  origin: RequestOrigin,
): Promise<IssuedTokens> {
  const hash = hashToken(presented);
  return orInvalidGrant(
    await inTransaction(db, async (trx) => {
      const grant = await lockGrantOfRefreshToken(trx, hash);
      if (grant?.key_id === undefined || grant.key_id === null) return undefined;
      const { key_id: keyId } = grant;
      if (!grant.client_hash.equals(hashClientId(clientId)) || grant.is_locked_out)
        return undefined;
      if (grant.is_idle) return endGrant(trx, grant, origin, "it was not used for too long");
      const { secret, refreshToken } = tokens.after(presented);
      const isRepeated = grant.refresh_hash?.equals(hash) !== true;
      if (isRepeated && !grant.is_just_refreshed) {
        return endGrant(trx, grant, origin, "a refresh token was used twice");
      }
      const token = { id: keyId, secret, lifetimeSeconds: accessSeconds };
      const accessToken = isRepeated ? `${keyId}-${secret}` : await renewApiToken(trx, token);
      if (!isRepeated) await rotateRefreshToken(trx, grant.id, hashToken(refreshToken));
      const answer = await issued(trx, limits, { grant, keyId, accessToken, refreshToken });
      return answer ?? endGrant(trx, grant, origin, "it reached the maximum lifetime of tokens");
    }),
  );
}

/** Ends the grant of an access or refresh token, if it is one of this program (RFC 7009 §2.1). */
export async function revokeGrant(
  { db }: Pick<GrantNeeds, "db">,
  { token, clientId }: { readonly token: string; readonly clientId: string },
  origin: RequestOrigin,
): Promise<void> {
  await inTransaction(db, async (trx) => {
    const grant =
      (await lockGrantOfRefreshToken(trx, hashToken(token))) ?? (await lockGrantOf(trx, token));
    if (grant?.client_hash.equals(hashClientId(clientId)) !== true) return;
    await endGrant(trx, grant, origin, "the program logged out");
  });
}

async function lockGrantOf(
  trx: Transaction<DB>,
  accessToken: string,
): Promise<GrantRow | undefined> {
  const parsed = parseSessionToken(accessToken);
  if ("problem" in parsed) return undefined;
  const grant = await lockGrantOfKey(trx, parsed.id);
  const isRight = isSecretOf(parsed.secret, grant?.hashed_secret ?? new Uint8Array());
  return isRight ? grant : undefined;
}

interface GrantedTokens extends Pick<IssuedTokens, "accessToken" | "refreshToken"> {
  readonly grant: GrantRow;
  readonly keyId: string;
}

/** Returns tokens with their lifetime; undefined if the limits of the server have ended them. */
async function issued(
  trx: Transaction<DB>,
  limits: TokenLimits,
  { grant, keyId, accessToken, refreshToken }: GrantedTokens,
): Promise<IssuedTokens | undefined> {
  const key = await findKey(trx, keyId, limits);
  const expiresInSeconds = key?.seconds_left ?? 0;
  if (expiresInSeconds <= 0) return undefined;
  return { accessToken, expiresInSeconds, refreshToken, scopes: grant.scopes };
}

/** Deletes the token of a grant, and the grant with it. */
async function endGrant(
  trx: Transaction<DB>,
  grant: GrantRow,
  origin: RequestOrigin,
  reason: string,
): Promise<undefined> {
  if (grant.key_id === null) return;
  await endSession(trx, grant.key_id);
  const key = { userId: grant.user_id, name: grant.token_name ?? "" };
  const fields = { program: grant.client_name, reason };
  await recordAudit(trx, { ...keyEntry(actorOf(grant, origin), key, "delete"), fields });
}

/** Returns the user whom a program acts for, by its own request. */
function actorOf({ user_id: id }: GrantRow, origin: RequestOrigin): AuditActor {
  return { id, origin };
}

/** Returns a name for the token of a program, by which its user finds it. */
function tokenNameOf(clientName: string): string {
  const words = clientName.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  const slug = words.join("-").slice(0, maxSlugLength);
  return ["oauth", slug, randomBytes(4).toString("hex")].filter(Boolean).join("-");
}

function orInvalidGrant(tokens: IssuedTokens | undefined): IssuedTokens {
  if (tokens !== undefined) return tokens;
  throw new OauthError(
    "invalid_grant",
    "the code or refresh token is unknown, has ended, or was issued for another request",
  );
}
