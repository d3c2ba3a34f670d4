import { argon2, type Argon2Parameters, randomBytes, scrypt, timingSafeEqual } from "node:crypto";

import pLimit from "p-limit";

import { invalidField, Unavailable } from "../errors/errors.ts";

/** The minimum cost of Argon2id that OWASP recommends: 19 MiB, and about 50 ms per password on one core. */
const cost = { memory: 19_456, passes: 2, parallelism: 1 } as const;
const saltBytes = 16;
const keyBytes = 32;
/** The beginning of new hashes, in the PHC string format. */
const newestForm = `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$`;
/** The beginning of the hashes that earlier releases made. */
const formerForm = "scrypt$16384$8$1$";

/** Hashes a password as `$argon2id$v=19$m=…,t=…,p=…$<salt>$<key>`, base64url, so that the cost can be raised later. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltBytes);
  const key = await derive(() => runArgon2(password, salt));
  return `${newestForm}${salt.toString("base64url")}$${key.toString("base64url")}`;
}

/** Returns whether a hash was made by an earlier release and must be replaced once its password is known. */
export function isFormerHash(hash: string): boolean {
  return hash.startsWith(formerForm);
}

/** Returns whether the password matches the hash. An empty or unknown hash never does, and takes as long to check. */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const found = readHash(hash);
  if (found === undefined) {
    // Takes as long as a real check, so that the timing does not reveal whether the user exists.
    await derive(() => runArgon2(password, Buffer.alloc(saltBytes)));
    return false;
  }
  const { key, run } = found;
  const derived = await derive(() => run(password));
  return derived.length === key.length && timingSafeEqual(derived, key);
}

interface StoredHash {
  readonly key: Buffer;
  readonly run: (password: string) => Promise<Buffer>;
}

function readHash(hash: string): StoredHash | undefined {
  if (hash.startsWith(newestForm)) {
    const [salt, key] = hash.slice(newestForm.length).split("$");
    if (salt === undefined || key === undefined) return undefined;
    const run = (password: string): Promise<Buffer> =>
      runArgon2(password, Buffer.from(salt, "base64url"));
    return { key: Buffer.from(key, "base64url"), run };
  }
  const [kind, N, r, p, salt, key] = hash.split("$");
  if (kind !== "scrypt" || salt === undefined || key === undefined) return undefined;
  const options = { N: Number(N), r: Number(r), p: Number(p) };
  const run = (password: string): Promise<Buffer> =>
    runScrypt(password, Buffer.from(salt, "base64url"), options);
  return { key: Buffer.from(key, "base64url"), run };
}

/** Limits concurrent hashing, and its memory, to half of the threads, which also read files and resolve hostnames. */
const turns = pLimit(2);
/** The maximum number of waiting passwords, about four seconds' worth. */
const maxWaiting = 128;

/** Derives a key when it is its turn; throws `Unavailable` when too many passwords wait. */
function derive(run: () => Promise<Buffer>): Promise<Buffer> {
  if (turns.pendingCount < maxWaiting) return turns(run);
  throw new Unavailable("Too many passwords are being checked.", {
    detail: "Try again in a few seconds.",
    retryAfterSeconds: 10,
  });
}

function runArgon2(password: string, nonce: Buffer): Promise<Buffer> {
  const message = password.normalize("NFKC");
  const parameters: Argon2Parameters = { ...cost, message, nonce, tagLength: keyBytes };
  return new Promise((resolve, reject) => {
    argon2("argon2id", parameters, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}

function runScrypt(
  password: string,
  salt: Buffer,
  options: { readonly N: number; readonly r: number; readonly p: number },
): Promise<Buffer> {
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
