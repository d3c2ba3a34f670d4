import { createHash, timingSafeEqual } from "node:crypto";

import type { Clock } from "@slipway/runtime";
import { errors, type JWTPayload, type JWTVerifyOptions, jwtVerify, SignJWT } from "jose";

import { SealedNotes } from "../../platform/auth/sealed-notes.ts";
import type { DerivedKey, SecretBox } from "../../platform/auth/secret-box.ts";

/** A login at the host of one app, from the server's session. */
export interface AppSession {
  readonly userId: string;
  /** The session key that the login comes from, and ends with. */
  readonly keyId: string;
}

/** The time for which a decision is valid: a viewer who loses access to an app loses it within this time. */
export const appTokenSeconds = 60;
/** The time in which a browser must bring its login to the host of an app. */
export const loginCodeSeconds = 60;
/** The time after which a browser logs in to the host of an app again, if its session is still valid. */
export const appSessionSeconds = 24 * 3600;

const signatureKeyBytes = 64;
/** The maximum length of a token that is read, in characters. */
const maxTokenLength = 4096;
const issuer = "slipway";

type Keys = readonly [DerivedKey, ...DerivedKey[]];
type TokenClock = Pick<Clock, "now">;

/**
 * Signs the server's decision about a request, so that later ones to the same app within a minute need no query of the
 * database. A token is valid only with the credential that it was issued for.
 */
export class SignedTokens {
  readonly #keys: Keys;
  readonly #type: string;
  readonly #clock: TokenClock;

  /** `type` keeps tokens from being accepted as those of another kind. */
  constructor(secrets: SecretBox, type: string, clock: TokenClock) {
    this.#keys = secrets.derive(type, signatureKeyBytes);
    this.#type = type;
    this.#clock = clock;
  }

  /** Signs claims for an audience. */
  async sign(claims: JWTPayload, audience: string, lifetimeSeconds: number): Promise<string> {
    const [{ id, key }] = this.#keys;
    const now = Math.floor(this.#clock.now() / 1000);
    return new SignJWT(claims)
      .setProtectedHeader({ alg: "HS512", kid: id, typ: this.#type })
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt(now)
      .setExpirationTime(now + lifetimeSeconds)
      .sign(key);
  }

  /** Returns the claims of a token for an audience; undefined if it is not one. */
  async verify(token: string, audience: string): Promise<JWTPayload | undefined> {
    if (token.length > maxTokenLength) return undefined;
    const options = { ...verifyOptions(this.#clock, audience), typ: this.#type };
    return readToken(async () => {
      const { payload } = await jwtVerify(token, ({ kid }) => findKey(this.#keys, kid), {
        ...options,
        algorithms: ["HS512"],
      });
      return payload;
    });
  }
}

/** Encrypts the login codes that a browser carries from the server to the host of an app. */
export class LoginCodes {
  readonly #notes: SealedNotes;

  constructor(secrets: SecretBox, clock: TokenClock) {
    this.#notes = new SealedNotes(secrets, "app login", clock);
  }

  /** Issues a code for the browser that began to log in at `origin` with a state of that hash. */
  issue({ userId, keyId }: AppSession, origin: string, stateHash: string): Promise<string> {
    const key = { userId, purpose: origin, seconds: loginCodeSeconds };
    return this.#notes.seal({ sid: keyId, state: stateHash }, key);
  }

  /** Returns the login of a code; undefined unless it is for this origin and this browser. */
  async read(code: string, origin: string, state: string): Promise<AppSession | undefined> {
    const note = await this.#notes.open(code, { purpose: origin });
    const { sub: userId, sid: keyId, state: wanted } = note ?? {};
    if (userId === undefined || typeof keyId !== "string" || typeof wanted !== "string") {
      return undefined;
    }
    return isSame(wanted, hashOf(state)) ? { userId, keyId } : undefined;
  }
}

/** Returns the hash of a secret, for comparing it with another. */
export function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}

/** Compares two hashes in constant time. */
export function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function verifyOptions(clock: TokenClock, audience: string): JWTVerifyOptions {
  return { audience, issuer, currentDate: new Date(clock.now()), requiredClaims: ["exp"] };
}

function findKey(keys: Keys, kid: string | undefined): DerivedKey["key"] {
  const found = keys.find(({ id }) => id === kid);
  if (found === undefined) throw new errors.JWKSNoMatchingKey();
  return found.key;
}

/** Reads a token; resolves to undefined for one that is malformed, forged, expired, or for something else. */
async function readToken(read: () => Promise<JWTPayload>): Promise<JWTPayload | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) return undefined;
    throw error;
  }
}
