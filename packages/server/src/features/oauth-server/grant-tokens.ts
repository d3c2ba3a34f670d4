import { createHash, createHmac, type KeyObject, randomBytes } from "node:crypto";

import type { SecretBox } from "../../platform/auth/secret-box.ts";
import { secretFrom } from "../../platform/auth/session-key.ts";

const keyBytes = 32;
const tokenBytes = 32;

/** The tokens that a program receives next: the secret of its access token, and its next refresh token. */
interface NextTokens {
  readonly secret: string;
  readonly refreshToken: string;
}

/**
 * Derives the tokens of a grant. Each pair follows from the refresh token before it by a key of the server, so that a
 * program whose answer was lost gets the same one again, although the server stores hashes only.
 */
export class GrantTokens {
  readonly #key: KeyObject;

  constructor(secrets: SecretBox) {
    const [{ key }] = secrets.derive("oauth tokens", keyBytes);
    this.#key = key;
  }

  after(refreshToken: string): NextTokens {
    const bytes = createHmac("sha512", this.#key).update(refreshToken).digest();
    return {
      secret: secretFrom(bytes.subarray(tokenBytes)),
      refreshToken: bytes.subarray(0, tokenBytes).toString("base64url"),
    };
  }
}

/** Returns a random code or refresh token. */
export function randomToken(): string {
  return randomBytes(tokenBytes).toString("base64url");
}

/** Returns the value by which the database knows a code or refresh token. */
export function hashToken(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
