import { createPublicKey, type KeyObject } from "node:crypto";

import { errorText } from "@slipway/runtime";
import { compactVerify, decodeProtectedHeader } from "jose";

import { isFuture, isPast } from "./document-times.ts";
import { IdentityClaimError, IdentityError } from "./errors.ts";
import type { PublicJwk } from "./key-set.ts";
import { isUsualKey, isUsualRsaKey } from "./public-keys.ts";

/** A set of keys; `find` returns the key with that id, or throws `IdentityError`. */
export interface KeySource {
  find(id: string): Promise<PublicJwk>;
}

/** The keys that sign tokens, by algorithm. */
export interface GoogleKeys {
  readonly RS256: KeySource;
  readonly ES256: KeySource;
}

export interface GoogleNeeds {
  readonly keys: GoogleKeys;
  /** The audience that tokens must name. */
  readonly audience: string;
  readonly nowMs: number;
}

/** The maximum length of a token, in characters; Google's have about 1,500. */
const maxTokenLength = 16 * 1024;
const keySizes = { minBits: 2_048, maxBits: 4_096 } as const;

/**
 * Returns the id of the instance with this token, empty if the token names none (docs/protocol/rest.md §3). A token
 * names the audience that its instance requested, so one that was shown to another service is useless here. Throws
 * `IdentityError`, or `IdentityClaimError` for malformed claims in a genuine token.
 */
export async function verifyGoogleIdentity(
  token: string,
  { keys, audience, nowMs }: GoogleNeeds,
): Promise<string> {
  if (token.length > maxTokenLength) {
    throw new IdentityError(
      `idtoken: found ${token.length} characters, wanted at most ${maxTokenLength}`,
    );
  }
  const claims = readClaims(token);
  checkTimes(claims, nowMs);
  checkParties(claims, audience);
  await verifySignature(token, keys);
  return instanceIdOf(claims);
}

/** Checks the token's times: `exp` is required; `nbf` and `iat` are optional. */
function checkTimes(claims: Claims, nowMs: number): void {
  const { exp, nbf, iat } = claims;
  const now = Math.floor(nowMs / 1000);
  if (typeof exp !== "number") throw new IdentityError("idtoken: found no time of expiry");
  if (isPast(exp * 1000, nowMs)) {
    throw new IdentityError(`idtoken: token expired: now=${now}, expires=${exp}`);
  }
  for (const [name, time] of Object.entries({ nbf, iat })) {
    if (time === undefined) continue;
    if (typeof time !== "number") throw new IdentityError(`idtoken: found no time in ${name}`);
    if (isFuture(time * 1000, nowMs)) {
      throw new IdentityError(`idtoken: token not valid yet: now=${now}, ${name}=${time}`);
    }
  }
}

/** The issuers of tokens: Google accounts, which identify instances, and the proxy that signs with ES256. */
const issuers: ReadonlySet<unknown> = new Set([
  "https://accounts.google.com",
  "accounts.google.com",
  "https://cloud.google.com/iap",
]);

function checkParties({ aud, iss }: Claims, audience: string): void {
  if (aud !== audience) {
    throw new IdentityError(
      `idtoken: found the audience ${shown(aud)}, wanted ${JSON.stringify(audience)}`,
    );
  }
  if (!issuers.has(iss)) {
    throw new IdentityError(`idtoken: found the issuer ${shown(iss)}, wanted Google`);
  }
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "none").slice(0, 100);
}

interface Claims {
  readonly aud?: unknown;
  readonly iss?: unknown;
  readonly exp?: unknown;
  readonly nbf?: unknown;
  readonly iat?: unknown;
  readonly [name: string]: unknown;
}

function readClaims(token: string): Claims {
  const segments = token.split(".");
  if (segments.length !== 3) {
    throw new IdentityError(
      `idtoken: invalid token, token must have three segments; found ${segments.length}`,
    );
  }
  try {
    const claims: unknown = JSON.parse(Buffer.from(segments[1] ?? "", "base64url").toString());
    if (isClaims(claims)) return claims;
  } catch (error) {
    throw new IdentityError(`idtoken: unable to read the claims: ${errorText(error)}`, {
      cause: error,
    });
  }
  throw new IdentityError("idtoken: unable to read the claims: found no object");
}

function isClaims(value: unknown): value is Claims {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

async function verifySignature(token: string, keys: GoogleKeys): Promise<void> {
  try {
    const { alg, kid } = decodeProtectedHeader(token);
    if (alg !== "RS256" && alg !== "ES256") {
      throw new IdentityError(
        `idtoken: expected a token signed with RS256 or ES256 but found ${JSON.stringify(alg)}`,
      );
    }
    if (typeof kid !== "string") throw new IdentityError("idtoken: found no id of a key");
    const key = createPublicKey({ key: { ...(await keys[alg].find(kid)) }, format: "jwk" });
    if (!isUsualOf(key, alg)) throw new IdentityError("idtoken: found a key that is not used");
    await compactVerify(token, key, { algorithms: [alg] });
  } catch (error) {
    if (error instanceof IdentityError) throw error;
    throw new IdentityError(`idtoken: ${errorText(error)}`, { cause: error });
  }
}

function isUsualOf(key: KeyObject, alg: "RS256" | "ES256"): boolean {
  return alg === "RS256" ? isUsualRsaKey(key, keySizes) : isUsualKey(key);
}

function instanceIdOf(claims: Claims): string {
  let value: unknown = claims;
  for (const name of ["google", "compute_engine", "instance_id"]) {
    if (!isClaims(value)) throw new IdentityClaimError("found claims of wrong types");
    value = value[name] ?? (name === "instance_id" ? "" : {});
  }
  if (typeof value !== "string") throw new IdentityClaimError("found claims of wrong types");
  return value;
}
