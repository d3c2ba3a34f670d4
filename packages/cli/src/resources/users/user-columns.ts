import { zeroTimestamp } from "@slipway/api/contract/scalars";
import type { User } from "@slipway/api/users/user";

import { columnFlag } from "../../command/flags.ts";
import { relativeTime } from "../../terminal/relative-time.ts";
import type { Columns } from "../../terminal/table.ts";
import { rolesCell } from "./roles-cell.ts";

const names = [
  "username",
  "email",
  "roles",
  "status",
  "created at",
  "name",
  "last seen at",
  "updated at",
  "id",
] as const;
export type UserColumn = (typeof names)[number];

/** `--column` of the list of users. */
export const userColumnFlag = columnFlag(names, [
  "username",
  "email",
  "roles",
  "status",
  "created at",
]);

/** `--column` of commands that change a user, which print a table only if they are asked for columns. */
export const changedUserColumnFlag = columnFlag(names, []);

/** Columns of users. `now` is in milliseconds since the epoch. */
export function userColumns(now: number): Columns<User, UserColumn> {
  const when = (time: string): string =>
    time === zeroTimestamp ? "never" : relativeTime(Date.parse(time), now);
  return {
    username: ({ username }) => username,
    email: ({ email }) => email,
    roles: (user) => rolesCell(user),
    status: ({ status }) => status,
    "created at": ({ created_at }) => when(created_at),
    name: ({ name }) => name ?? "",
    "last seen at": ({ last_seen_at }) => when(last_seen_at),
    "updated at": ({ updated_at }) => when(updated_at),
    id: ({ id }) => id,
  };
}
