import { type JsonObject, objectOf, textOf } from "@slipway/runtime";
import { decodeJwt, errors, type JWTVerifyGetKey, jwtVerify } from "jose";

import { LogInError } from "./errors.ts";

/** A provider's demand to end sessions of a person (OpenID Connect Back-Channel Logout 1.0). */
export interface LogOutDemand {
  /** The id of the token; each is used once. */
  readonly id: string;
  /** The person; undefined if only their session is named. */
  readonly subject: string | undefined;
  /** The session at the provider; undefined for all of the person. */
  readonly sessionId: string | undefined;
}

export interface LogOutTokenRules {
  readonly issuer: string;
  readonly clientId: string;
  readonly now: Date;
  readonly toleranceSeconds: number;
}

/** The maximum age of a token, which also bounds the time for which its id is kept. */
export const maxLogOutTokenSeconds = 5 * 60;
const maxTextLength = 255;
const event = "http://schemas.openid.net/event/backchannel-logout";
/** Signatures of the provider's own keys only: never `none`, nor the client's secret, which an ID token could use. */
const algorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];

/**
 * Verifies a log-out token (section 2.6). Keys are read only for a token that names the issuer and this client. Rejects with
 * `LogInError`.
 */
export async function readLogOutToken(
  token: string,
  { issuer, clientId, now, toleranceSeconds }: LogOutTokenRules,
  keys: JWTVerifyGetKey,
): Promise<LogOutDemand> {
  try {
    const { iss = "", aud } = decodeJwt(token);
    // As the issuer of the metadata is compared, which may end with a slash.
    const isOurs = URL.parse(iss)?.href === new URL(issuer).href;
    if (!isOurs || ![aud].flat().includes(clientId)) {
      throw invalid("it is from another issuer, or for another client");
    }
    const { payload } = await jwtVerify(token, keys, {
      issuer: iss,
      audience: clientId,
      algorithms,
      currentDate: now,
      clockTolerance: toleranceSeconds,
      maxTokenAge: maxLogOutTokenSeconds,
      requiredClaims: ["iat", "jti", "events"],
    });
    return demandOf(payload);
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error;
    if (error instanceof errors.JWKSTimeout || error.code === "ERR_JOSE_GENERIC") {
      throw new LogInError("unavailable", `it does not send its keys: ${error.message}`);
    }
    throw invalid(error.code);
  }
}

function demandOf(payload: JsonObject): LogOutDemand {
  const { events } = payload;
  const marker = Object.hasOwn(objectOf(events), event) ? objectOf(events)[event] : undefined;
  if (typeof marker !== "object" || marker === null) throw invalid("it is not a log-out token");
  // An ID token may have one; this keeps it from passing for a log-out token.
  if ("nonce" in payload) throw invalid("it has a nonce");
  const id = shortText(payload["jti"]);
  const subject = shortText(payload["sub"]);
  const sessionId = shortText(payload["sid"]);
  if (id === undefined) throw invalid("it has no valid jti");
  if (subject === undefined && sessionId === undefined) throw invalid("it names nobody");
  return { id, subject, sessionId };
}

function shortText(value: unknown): string | undefined {
  const text = textOf(value);
  return text === "" || text.length > maxTextLength ? undefined : text;
}

function invalid(reason: string): LogInError {
  return new LogInError("failed", `the log-out token is invalid: ${reason}`);
}
