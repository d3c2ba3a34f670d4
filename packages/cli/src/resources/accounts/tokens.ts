import { getKey, getTokenByName } from "@slipway/api/users/key-routes";
import type { ApiKey, ListedToken } from "@slipway/api/users/token";
import { type ApiClient, ApiError } from "@slipway/sdk/http";

import { columnFlag } from "../../command/flags.ts";
import { notFoundError } from "../../command/not-found.ts";
import { relativeTime } from "../../terminal/relative-time.ts";
import type { Columns } from "../../terminal/table.ts";

/** The argument that names a token. */
export const tokenArgument = {
  summary: "name or id of the token",
  required: true,
  completion: "token",
} as const;

/** Finds a token by name or id. Throws `CommandError` if there is none. */
export async function findToken(
  client: ApiClient,
  reference: string,
  signal: AbortSignal,
): Promise<ApiKey> {
  const user = "me";
  const found =
    (await orUndefined(
      client.call(getTokenByName, { params: { user, name: reference }, signal }),
    )) ?? (await orUndefined(client.call(getKey, { params: { user, key: reference }, signal })));
  if (found !== undefined) return found;
  const hint = "list your tokens with: slipway tokens list --include-expired";
  throw notFoundError(`token ${reference}`, hint);
}

async function orUndefined<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

/** `--column` of commands that print tokens. */
export const tokenColumnFlag = columnFlag(
  ["id", "name", "owner", "scopes", "last used", "expires at", "created at", "allow list"],
  ["id", "name", "owner", "scopes", "last used", "expires at", "created at"],
);

/** A token, with the name of its owner if known. */
type Token = ApiKey & Partial<Pick<ListedToken, "username">>;

/** Columns of tokens. `now` is in milliseconds since the epoch. */
export function tokenColumns(
  now: number,
): Columns<Token, (typeof tokenColumnFlag.columns)[number]> {
  const when = (time: string): string =>
    Date.parse(time) <= 0 ? "never" : relativeTime(Date.parse(time), now);
  return {
    id: ({ id }) => id,
    name: ({ token_name }) => token_name,
    owner: ({ username, user_id }) => username ?? user_id,
    scopes: ({ scopes }) => scopes.join(", "),
    "last used": ({ last_used }) => when(last_used),
    "expires at": ({ expires_at }) => when(expires_at),
    "created at": ({ created_at }) => when(created_at),
    "allow list": ({ allow_list }) => allow_list.join(", "),
  };
}
