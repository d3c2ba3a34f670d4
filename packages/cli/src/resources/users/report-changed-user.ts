import type { User } from "@slipway/api/users/user";

import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { printJson } from "../../command/print-json.ts";
import { printList } from "../../command/print-list.ts";
import { type UserColumn, userColumns } from "./user-columns.ts";

interface ReportOptions {
  readonly output: "text" | "json";
  readonly column: readonly UserColumn[];
}

/** Prints what a user has become, such as `suspended`: as JSON, or as a line, with a table if columns were asked for. */
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
