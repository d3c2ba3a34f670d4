import { listUsers } from "@slipway/api/users/routes";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { printList } from "../../command/print-result.ts";
import { userColumnFlag, userColumns } from "../../resources/accounts/users.ts";

export const command = defineCommand({
  summary: "list users",
  aliases: ["ls"],
  arguments: {},
  flags: {
    search: {
      kind: "text",
      value: "query",
      summary: "part of the name or email, status:… or role:…",
    },
    column: userColumnFlag,
    output: outputFlag,
  },
  examples: [
    { line: "slipway users list", summary: "all users you can see" },
    { line: 'slipway users list --search "status:suspended"', summary: "suspended users" },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const query = options.search === undefined ? {} : { q: options.search };
  const { users } = await connect(settings).call(listUsers, { query, signal });
  return printList(terminal, users, options, {
    columns: userColumns(clock.now()),
    none: "no users",
  });
}
