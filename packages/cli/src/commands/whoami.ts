import { getUser } from "@slipway/api/users/routes";
import type { User } from "@slipway/api/users/user";

import { connect } from "../command/connect.ts";
import { defineCommand, type OptionsOf } from "../command/definition.ts";
import { exitCodes } from "../command/exit-codes.ts";
import { columnFlag } from "../command/flags.ts";
import type { Needs } from "../command/needs.ts";
import { printJson } from "../command/print-result.ts";
import { type Columns, renderColumns, renderPairs } from "../terminal/table.ts";

export const command = defineCommand({
  summary: "show the logged-in user and the server",
  arguments: {},
  flags: {
    column: {
      ...columnFlag(["url", "username", "id", "orgs", "roles"], []),
      summary: "print a table of these columns",
    },
    output: {
      kind: "choice",
      short: "o",
      choices: ["text", "table", "json"],
      summary: "output format",
    },
  },
  examples: [
    { line: "slipway whoami", summary: "name, email, roles and server" },
    { line: "slipway whoami -c username,id", summary: "a table of the name and the id" },
  ],
});

type ColumnName = (typeof command.flags.column.columns)[number];

/** The columns of `--output table`, as `coder` prints them. */
const tableColumns = ["url", "username", "id"] as const satisfies readonly ColumnName[];

export async function run(
  { column, output }: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const { out } = terminal;
  const client = connect(settings);
  const user = await client.call(getUser, { params: { user: "me" }, signal });
  if (output === "json") {
    printJson(out, user);
  } else if (output === "table" || column.length > 0) {
    const wanted = column.length > 0 ? column : tableColumns;
    for (const line of renderColumns(columnsOn(client.serverUrl), wanted, [user], out)) {
      out.line(line);
    }
  } else {
    const pairs = [
      ["User", user.username],
      ["Email", user.email],
      ["Roles", rolesOf(user)],
      ["Server", client.serverUrl],
    ] as const;
    for (const line of renderPairs(pairs, out)) out.line(line);
  }
  return exitCodes.ok;
}

function columnsOn(serverUrl: string): Columns<User, ColumnName> {
  return {
    url: () => serverUrl,
    username: ({ username }) => username,
    id: ({ id }) => id,
    orgs: ({ organization_ids }) => organization_ids.join(", "),
    roles: rolesOf,
  };
}

function rolesOf({ roles }: Pick<User, "roles">): string {
  return roles.map(({ name, display_name }) => display_name || name).join(", ") || "Member";
}
