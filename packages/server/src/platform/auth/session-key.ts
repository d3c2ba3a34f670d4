import { createHash, randomInt, timingSafeEqual } from "node:crypto";

import type { ScopeName } from "@slipway/api/contract/scopes";
import { sql } from "kysely";

import type { Queryable } from "../db/database.ts";
import type { RequestOrigin } from "../http/request-origin.ts";

const daySeconds = 24 * 3600;

/** Lifetimes of session keys in seconds (docs/protocol/clients.md §5.1). */
export const keyLifetimes = { browserSession: daySeconds, commandSession: 7 * daySeconds } as const;

export interface NewSession {
  readonly userId: string;
  readonly lifetimeSeconds: number;
  readonly loginType: "password" | "oidc" | "github";
  /** Another user who creates it for this one. */
  readonly createdBy?: string | undefined;
  /** A hash of the session at a login provider in which it began. */
  readonly providerSession?: Buffer | undefined;
  /** The request that creates it; undefined if the server does so itself. */
  readonly origin: KeyOrigin | undefined;
}

/** The part of a request's origin that a key shows to its user. */
export type KeyOrigin = Pick<RequestOrigin, "ip" | "userAgent">;

/** Creates a session and resolves to its token, which is not stored. */
export async function createSession(db: Queryable, session: NewSession): Promise<string> {
  const key = createSessionKey();
  const { createdBy, providerSession } = session;
  await insertKey(db, { ...session, key, createdBy, providerSession, token: undefined });
  return key.token;
}

export interface NewApiToken {
  readonly userId: string;
  readonly name: string;
  readonly lifetimeSeconds: number;
  readonly scopes: readonly ScopeName[];
  readonly allowList: readonly string[];
  /** Another user who creates it for this one. */
  readonly createdBy: string | undefined;
  /** The request that creates it; undefined if the server does so itself. */
  readonly origin: KeyOrigin | undefined;
}

/** Creates an API token with a fixed lifetime and resolves to it; it is not stored. */
export async function createApiToken(db: Queryable, input: NewApiToken): Promise<string> {
  const { name, scopes, allowList, ...rest } = input;
  const key = createSessionKey();
  const token = { name, scopes, allowList };
  await insertKey(db, { ...rest, key, loginType: "token", providerSession: undefined, token });
  return key.token;
}

interface RenewedApiToken {
  readonly id: string;
  /** A text of `secretFrom`. */
  readonly secret: string;
  readonly lifetimeSeconds: number;
}

/** Gives an API token another secret, with which it lives on for another lifetime, and resolves to the new token. */
export async function renewApiToken(db: Queryable, input: RenewedApiToken): Promise<string> {
  const { id, secret, lifetimeSeconds } = input;
  await db
    .updateTable("api_keys")
    .set({
      hashed_secret: hashSecret(secret),
      lifetime_seconds: lifetimeSeconds,
      expires_at: sql`now() + make_interval(secs => ${lifetimeSeconds})`,
      updated_at: sql`now()`,
    })
    .where("id", "=", id)
    .execute();
  return `${id}-${secret}`;
}

interface InsertKey extends Pick<NewSession, "origin"> {
  readonly key: NewSessionKey;
  readonly loginType: NewSession["loginType"] | "token";
  readonly userId: string;
  readonly lifetimeSeconds: number;
  /** The user who creates it for this one; undefined if they do so themselves. */
  readonly createdBy: string | undefined;
  readonly providerSession: Buffer | undefined;
  /** Set for an API token; undefined for a session. */
  readonly token:
    | {
        readonly name: string;
        readonly scopes: readonly string[];
        readonly allowList: readonly string[];
      }
    | undefined;
}

async function insertKey(db: Queryable, input: InsertKey): Promise<void> {
  await db
    .insertInto("api_keys")
    .values({
      id: input.key.id,
      hashed_secret: input.key.hashedSecret,
      user_id: input.userId,
      created_by: input.createdBy ?? null,
      login_type: input.loginType,
      provider_session: input.providerSession ?? null,
      ip: input.origin?.ip ?? "",
      user_agent: input.origin?.userAgent ?? "",
      ...(input.token === undefined
        ? {}
        : {
            token_name: input.token.name,
            scopes: [...input.token.scopes],
            allow_list: [...input.token.allowList],
          }),
      lifetime_seconds: input.lifetimeSeconds,
      expires_at: sql`now() + make_interval(secs => ${input.lifetimeSeconds})`,
    })
    .execute();
}

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

/** Returns the secret of a token made of pseudorandom bytes, of which it needs 22. */
export function secretFrom(bytes: Uint8Array): string {
  return Array.from(bytes.subarray(0, secretLength), (byte) =>
    alphabet.charAt(byte % alphabet.length),
  ).join("");
}

function randomText(length: number): string {
  return Array.from({ length }, () => alphabet.charAt(randomInt(alphabet.length))).join("");
}
