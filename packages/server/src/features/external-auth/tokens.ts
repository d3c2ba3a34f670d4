import type { SecretBox } from "../../platform/auth/secret-box.ts";
import { timestampFromMs } from "../../platform/db/timestamp.ts";
import { ProviderError } from "../../platform/providers/provider-error.ts";

/** The tokens of one user at one provider. */
export interface ProviderTokens {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  /** In milliseconds since the epoch; undefined if they do not expire. */
  readonly expiresAtMs: number | undefined;
  /** The fields of the response that are configured to be passed on; undefined if there are none. */
  readonly extra: Readonly<Record<string, unknown>> | undefined;
}

/** The user name and password with which Git presents a token (docs/protocol/rest.md §2.6). */
export function gitCredentials(
  type: string,
  token: string,
): { readonly username: string; readonly password: string } {
  switch (type) {
    case "gitlab":
      return { username: "oauth2", password: token };
    case "bitbucket-cloud":
    case "bitbucket-server":
      return { username: "x-token-auth", password: token };
    default:
      return { username: token, password: "" };
  }
}

/** The tokens of a link as they are stored. */
export interface StoredTokens {
  readonly tokensEncrypted: Buffer;
  readonly expiresAt: string | undefined;
  readonly hasRefreshToken: boolean;
}

/** Encrypts tokens for the database. */
export function sealTokens(secrets: SecretBox, tokens: ProviderTokens): StoredTokens {
  const { expiresAtMs } = tokens;
  return {
    tokensEncrypted: secrets.seal(JSON.stringify(tokens)),
    expiresAt: expiresAtMs === undefined ? undefined : timestampFromMs(expiresAtMs),
    hasRefreshToken: tokens.refreshToken !== undefined,
  };
}

/** Decrypts tokens that `sealTokens` encrypted. Throws `SecretError`. */
export function openTokens(secrets: SecretBox, sealed: Buffer): ProviderTokens {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- sealTokens wrote it, and the box proves that
  const { accessToken, refreshToken, expiresAtMs, extra } = JSON.parse(
    secrets.open(sealed),
  ) as ProviderTokens;
  return { accessToken, refreshToken, expiresAtMs, extra };
}

/** The maximum length of an access or refresh token, and of the JSON of extra fields, in characters. */
const maxTokenLength = 16 * 1024;
/** The maximum lifetime, in seconds; a longer one is shortened. */
const maxLifetimeSeconds = 10 * 365 * 24 * 3600;

interface ReadOptions {
  readonly nowMs: number;
  readonly extraKeys: readonly string[];
  /** The refresh token to keep if the response has none. */
  readonly refreshToken?: string | undefined;
}

/** Reads a token response that follows the rules of the protocol. Throws `ProviderError`. */
export function readTokens(
  response: Readonly<Record<string, unknown>>,
  { nowMs, extraKeys, refreshToken }: ReadOptions,
): ProviderTokens {
  const { access_token: access, refresh_token: refresh, expires_in: lifetime } = response;
  const extra = Object.fromEntries(
    extraKeys.flatMap((key) => (Object.hasOwn(response, key) ? [[key, response[key]]] : [])),
  );
  const hasExtra = Object.keys(extra).length > 0;
  if (hasExtra && JSON.stringify(extra).length > maxTokenLength) throw tooLong("extra fields");
  return {
    accessToken: readToken(access, "access token"),
    refreshToken:
      refresh === undefined || refresh === null || refresh === ""
        ? refreshToken
        : readToken(refresh, "refresh token"),
    expiresAtMs: readExpiry(lifetime, nowMs),
    extra: hasExtra ? extra : undefined,
  };
}

function readToken(value: unknown, what: string): string {
  if (typeof value !== "string" || !/^[\u0020-\u007e]+$/.test(value)) {
    throw new ProviderError("malformed", `found a ${what} that is not printable ASCII`);
  }
  if (value.length > maxTokenLength) throw tooLong(what);
  return value;
}

function tooLong(what: string): ProviderError {
  return new ProviderError("malformed", `found ${what} of more than ${maxTokenLength} characters`);
}

function readExpiry(lifetime: unknown, nowMs: number): number | undefined {
  const seconds = Number(lifetime ?? 0);
  if (!Number.isFinite(seconds) || seconds <= 0) return undefined;
  return nowMs + Math.min(seconds, maxLifetimeSeconds) * 1000;
}
