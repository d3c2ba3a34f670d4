import { createHash, randomInt, timingSafeEqual } from "node:crypto";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const idLength = 10;
const secretLength = 22;

/** A new session token, `<id>-<secret>`, whose id and hashed secret are stored (docs/protocol/clients.md §5.1). */
export interface NewSessionKey {
  readonly id: string;
  readonly token: string;
  readonly hashedSecret: Buffer;
}

export function createSessionKey(): NewSessionKey {
  const id = randomText(idLength);
  const secret = randomText(secretLength);
  return { id, token: `${id}-${secret}`, hashedSecret: hashSecret(secret) };
}

/** The two parts of a token, or a text that describes its fault (docs/protocol/rest.md §1.3). */
export type ParsedSessionToken =
  | { readonly id: string; readonly secret: string }
  | { readonly problem: string };

export function parseSessionToken(token: string): ParsedSessionToken {
  const parts = token.split("-");
  const [id, secret] = parts;
  if (id === undefined || secret === undefined || parts.length !== 2) {
    return {
      problem: `Invalid API key format: incorrect amount of API key parts, expected 2 got ${parts.length}`,
    };
  }
  if (id.length !== idLength) {
    return {
      problem: `Invalid API key format: invalid API key ID length, expected ${idLength} got ${id.length}`,
    };
  }
  if (secret.length !== secretLength) {
    return {
      problem: `Invalid API key format: invalid API key secret length, expected ${secretLength} got ${secret.length}`,
    };
  }
  return { id, secret };
}

export function isSecretOf(secret: string, hashedSecret: Uint8Array): boolean {
  const hash = hashSecret(secret);
  return hash.length === hashedSecret.length && timingSafeEqual(hash, hashedSecret);
}

function hashSecret(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}

function randomText(length: number): string {
  return Array.from({ length }, () => alphabet.charAt(randomInt(alphabet.length))).join("");
}
