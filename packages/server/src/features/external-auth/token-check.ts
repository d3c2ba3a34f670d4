import { ProviderError } from "../../platform/providers/provider-error.ts";
import type { ProviderFetch } from "../../platform/providers/provider-fetch.ts";
import { parseJsonObject } from "./oauth-answer.ts";

/** The fields of the user's account at the provider that its answer contains. */
export interface ProviderUser {
  readonly id: number;
  readonly login: string;
  readonly name: string;
  readonly avatarUrl: string;
  readonly profileUrl: string;
}

type TokenCheck =
  | { readonly type: "valid"; readonly user: ProviderUser | undefined }
  | { readonly type: "invalid"; readonly reason: string };

/**
 * Asks the provider whether a token is valid (docs/protocol/rest.md §2.6).
 * Rejects with `ProviderError` if the answer is inconclusive.
 */
export async function checkToken(
  validateUrl: string,
  fetch: ProviderFetch,
  token: string,
  signal: AbortSignal,
): Promise<TokenCheck> {
  const response = await fetch(validateUrl, {
    headers: {
      Authorization: `Bearer ${token}`,
      Accept: "application/json",
      "User-Agent": "Slipway",
    },
    signal,
  });
  switch (response.status) {
    case 200:
      return { type: "valid", user: readUser(await response.text()) };
    // A rate limit says nothing about the token.
    case 429:
      return { type: "valid", user: undefined };
    case 401:
      return { type: "invalid", reason: "the provider no longer accepts the token" };
    case 403:
      return isLimited(response.headers)
        ? { type: "valid", user: undefined }
        : { type: "invalid", reason: "the provider forbids the use of the token" };
    default: {
      const code = response.status >= 500 ? "unreachable" : "malformed";
      throw new ProviderError(code, `it validated the token with status ${response.status}`);
    }
  }
}

/** Returns whether the rate was refused, not the token. */
function isLimited(headers: Headers): boolean {
  return headers.has("Retry-After") || headers.get("X-RateLimit-Remaining") === "0";
}

const maxTextLength = 512;

/** Reads the account from the form in which GitHub and Gitea show it; undefined for another one. */
function readUser(text: string): ProviderUser | undefined {
  // Without an object, the status alone answers.
  const fields = parseJsonObject(text) ?? {};
  const { id, login } = fields;
  if (typeof id !== "number" || !Number.isSafeInteger(id) || typeof login !== "string") {
    return undefined;
  }
  const textOf = (value: unknown): string =>
    typeof value === "string" ? value.slice(0, maxTextLength) : "";
  const urlOf = (value: unknown): string =>
    /^https?:\/\//.test(textOf(value)) ? textOf(value) : "";
  return {
    id,
    login: textOf(login),
    name: textOf(fields["name"]),
    avatarUrl: urlOf(fields["avatar_url"]),
    profileUrl: urlOf(fields["html_url"]),
  };
}
