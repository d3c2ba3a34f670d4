import { errorText } from "@slipway/runtime";
import { compactVerify, decodeProtectedHeader, importJWK } from "jose";

import { IdentityClaimError, IdentityError } from "./errors.ts";
import type { PublicJwk } from "./key-set.ts";

/** Finds a key by its id; throws `IdentityError`. */
export interface Keys {
  find(id: string): Promise<PublicJwk>;
}

/** Those that sign tokens, by algorithm. */
export interface GoogleKeys {
  readonly RS256: Keys;
  readonly ES256: Keys;
}

/**
 * The id of the machine whose token this is at `nowMs`, empty where it names none. Neither audience nor issuer are looked at
 * (`rest.md` section 3). Throws `IdentityError`, or `IdentityClaimError` for what a good token says wrongly.
 */
export async function verifyGoogleIdentity(
  token: string,
  keys: GoogleKeys,
  nowMs: number,
): Promise<string> {
  const claims = readClaims(token);
  const expiry = claims["exp"];
  if (typeof expiry !== "number") throw new IdentityError("idtoken: found no time of expiry");
  if (nowMs > expiry * 1000)
    throw new IdentityError(
      `idtoken: token expired: now=${Math.floor(nowMs / 1000)}, expires=${expiry}`,
    );
  await verifySignature(token, keys);
  return instanceIdOf(claims);
}

type Claims = Readonly<Record<string, unknown>>;

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
    const key = await importJWK(await keys[alg].find(kid), alg);
    await compactVerify(token, key, { algorithms: [alg] });
  } catch (error) {
    if (error instanceof IdentityError) throw error;
    throw new IdentityError(`idtoken: ${errorText(error)}`, { cause: error });
  }
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
