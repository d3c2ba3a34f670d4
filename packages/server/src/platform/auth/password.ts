import { randomBytes, scrypt, type ScryptOptions, timingSafeEqual } from "node:crypto";

import pLimit from "p-limit";

import { invalidField, Unavailable } from "../errors/errors.ts";

/** About 16 MiB and 50 ms per password on one core. */
const cost = { N: 16_384, r: 8, p: 1 } as const;
const saltBytes = 16;
const keyBytes = 32;

/** Hashes a password as `scrypt$N$r$p$<salt>$<key>`, base64url, so that the cost can be raised later. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltBytes);
  const key = await derive(password, salt, cost);
  return [
    "scrypt",
    cost.N,
    cost.r,
    cost.p,
    salt.toString("base64url"),
    key.toString("base64url"),
  ].join("$");
}

/** Returns whether the password matches the hash; an empty or unknown hash matches none. Always takes the same time. */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const [kind, N, r, p, salt, key] = hash.split("$");
  if (kind !== "scrypt" || salt === undefined || key === undefined) {
    // As long as a real check, so that the timing does not reveal whether the user exists.
    await derive(password, Buffer.alloc(saltBytes), cost);
    return false;
  }
  const wanted = Buffer.from(key, "base64url");
  const options = { N: Number(N), r: Number(r), p: Number(p) };
  const derived = await derive(password, Buffer.from(salt, "base64url"), options);
  return derived.length === wanted.length && timingSafeEqual(derived, wanted);
}

/** Limits concurrent hashing to half of the threads, which also read files and resolve hostnames. */
const turns = pLimit(2);
/** The maximum number of waiting passwords, about four seconds' worth. */
const maxWaiting = 128;

/** Derives a key; throws `Unavailable` when too many passwords wait. */
function derive(password: string, salt: Buffer, options: ScryptOptions): Promise<Buffer> {
  if (turns.pendingCount < maxWaiting) return turns(() => runScrypt(password, salt, options));
  throw new Unavailable("Too many passwords are being checked.", {
    detail: "Try again in a few seconds.",
    retryAfterSeconds: 10,
  });
}

function runScrypt(password: string, salt: Buffer, options: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize("NFKC"), salt, keyBytes, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}

/** Generates a password of 120 random bits. */
export function generatePassword(): string {
  return randomBytes(15).toString("base64url");
}

/** Throws `Invalid` for a new password that is too weak. */
export function requirePassword(password: string): void {
  const problem = passwordProblem(password);
  if (problem !== undefined) throw invalidField("password", problem);
}

const minEntropyBits = 52;
const maxPasswordLength = 64;

/**
 * Returns the fault of a new password, or undefined: it needs at least 52 bits, as length × log2 of the character
 * classes used, where a repeated character counts half, and at most 64 characters (docs/protocol/clients.md §5.2).
 */
export function passwordProblem(password: string): string | undefined {
  if (password.length > maxPasswordLength)
    return `must have at most ${maxPasswordLength} characters`;
  const classes = [
    [/[a-z]/, 26],
    [/[A-Z]/, 26],
    [/[0-9]/, 10],
    [/[^a-zA-Z0-9]/, 32],
  ] as const;
  const alphabet = classes.reduce(
    (sum, [pattern, size]) => sum + (pattern.test(password) ? size : 0),
    0,
  );
  const distinct = new Set(password).size;
  const counted = distinct + (password.length - distinct) / 2;
  const bits = Math.floor(counted * Math.log2(Math.max(alphabet, 1)));
  if (bits >= minEntropyBits) return undefined;
  return `is too easy to guess: ${bits} bits of entropy, at least ${minEntropyBits} are required; make it longer or more varied`;
}
