import { zeroTimestamp } from "@slipway/api/contract/scalars";
import type { User } from "@slipway/api/users/user";

import { exitCodes } from "../../command/exit-codes.ts";
import { columnFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { printJson, printList } from "../../command/print-result.ts";
import type { Prompts } from "../../terminal/prompts.ts";
import { relativeTime } from "../../terminal/relative-time.ts";
import type { Columns } from "../../terminal/table.ts";

/** The argument that names a user. */
export const userArgument = {
  summary: "username, id, or me",
  required: true,
  completion: "user",
} as const;

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
type UserColumn = (typeof names)[number];

/** `--column` of the list of users. */
export const userColumnFlag = columnFlag(names, [
  "username",
  "email",
  "roles",
  "status",
  "created at",
]);

/** `--column` of commands that change a user, which print a table only if columns are requested. */
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

/** Returns the roles of a user as one cell. */
export function rolesCell({ roles }: Pick<User, "roles">): string {
  return roles.map(({ name }) => name).join(", ") || "member";
}

interface ReportOptions {
  readonly output: "text" | "json";
  readonly column: readonly UserColumn[];
}

/**
 * Prints the new state of a user, such as `suspended`: as JSON, or as a line, with a table if columns were requested.
 */
export function reportChangedUser(
  user: User,
  change: string,
  { output, column }: ReportOptions,
  { terminal, clock }: Pick<Needs, "terminal" | "clock">,
): number {
  const { err, out } = terminal;
  if (output === "json") printJson(out, user);
  else err.line(err.colors.green(`${user.username} is ${change}`));
  if (output === "json" || column.length === 0) return exitCodes.ok;
  const columns = userColumns(clock.now());
  return printList(terminal, [user], { output, column }, { columns, none: "" });
}

/** Asks for the full name of a new user, the author of their commits; resolves with "" for none. */
export function askFullName(prompts: Prompts): Promise<string> {
  return prompts.text({ message: "Full name (optional)", fallback: "" });
}
