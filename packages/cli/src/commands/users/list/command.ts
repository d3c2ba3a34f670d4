import { listUsers, zeroTimestamp } from "@slipway/api";

import { connect } from "../../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../../command/definition.ts";
import { columnFlag, outputFlag } from "../../../command/flags.ts";
import type { Needs } from "../../../command/needs.ts";
import { printList } from "../../../command/print-list.ts";
import { rolesCell } from "../../../resources/users/roles-cell.ts";
import { relativeTime } from "../../../terminal/relative-time.ts";

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
    column: columnFlag(
      [
        "username",
        "email",
        "roles",
        "status",
        "created at",
        "name",
        "last seen at",
        "updated at",
        "id",
      ],
      ["username", "email", "roles", "status", "created at"],
    ),
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
  const now = clock.now();
  const when = (time: string): string =>
    time === zeroTimestamp ? "never" : relativeTime(Date.parse(time), now);
  return printList(terminal, users, options, {
    columns: {
      username: ({ username }) => username,
      email: ({ email }) => email,
      roles: (user) => rolesCell(user),
      status: ({ status }) => status,
      "created at": ({ created_at }) => when(created_at),
      name: ({ name }) => name ?? "",
      "last seen at": ({ last_seen_at }) => when(last_seen_at),
      "updated at": ({ updated_at }) => when(updated_at),
      id: ({ id }) => id,
    },
    none: "no users",
  });
}
