import type { ApiKey, ListedToken } from "@slipway/api/users/token";

import { columnFlag } from "../../command/flags.ts";
import { relativeTime } from "../../terminal/relative-time.ts";
import type { Columns } from "../../terminal/table.ts";

/** `--column` of commands that print tokens. */
export const tokenColumnFlag = columnFlag(
  ["id", "name", "owner", "scopes", "last used", "expires at", "created at", "allow list"],
  ["id", "name", "owner", "scopes", "last used", "expires at", "created at"],
);

/** A token, with the name of its owner where it is known. */
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
