import { listUsers } from "@slipway/api";

import { connect } from "../../../command/connect.ts";
import type { OptionsOf } from "../../../command/definition.ts";
import { exitCodes } from "../../../command/exit-codes.ts";
import type { Needs } from "../../../command/needs.ts";
import { printJson } from "../../../command/print-json.ts";
import { relativeTime } from "../../../terminal/relative-time.ts";
import { renderTable } from "../../../terminal/table.ts";
import { rolesCell } from "../roles-cell.ts";
import type { command } from "./command.ts";

export async function run(
  { search, output }: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const query = search === undefined ? {} : { q: search };
  const { users } = await connect(settings).call(listUsers, { query, signal });
  if (output === "json") {
    printJson(terminal.out, users);
    return exitCodes.ok;
  }
  const now = clock.now();
  const rows = users.map((user) => [
    user.username,
    user.email,
    rolesCell(user),
    user.status,
    relativeTime(Date.parse(user.created_at), now),
  ]);
  const headings = ["USERNAME", "EMAIL", "ROLES", "STATUS", "CREATED"];
  for (const line of renderTable(headings, rows, terminal.out.colors)) terminal.out.line(line);
  return exitCodes.ok;
}
