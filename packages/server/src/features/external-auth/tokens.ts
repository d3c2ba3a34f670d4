import { ProviderError } from "./errors.ts";

/** The tokens of one user at one provider. */
export interface ProviderTokens {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  /** In milliseconds since the epoch; undefined if they do not expire. */
  readonly expiresAtMs: number | undefined;
  /** Those fields of the response that are configured to be handed on; undefined if there is none. */
  readonly extra: Readonly<Record<string, unknown>> | undefined;
}

/** The longest access or refresh token, and the longest JSON of extra fields, in characters. */
const maxTokenLength = 16 * 1024;
/** The longest lifetime that is believed, in seconds. */
const maxLifetimeSeconds = 10 * 365 * 24 * 3600;

interface ReadOptions {
  readonly nowMs: number;
  readonly extraKeys: readonly string[];
  /** The refresh token to keep if the response has none. */
  readonly refreshToken?: string | undefined;
}

/** Reads a token response that the protocol's rules were checked for. Throws `ProviderError`. */
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
    throw new ProviderError("malformed", `found a ${what} that is no text of printable ASCII`);
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
