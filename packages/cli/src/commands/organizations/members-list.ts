import { zeroTimestamp } from "@slipway/api/contract/scalars";
import { listMembers } from "@slipway/api/organizations/routes";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { columnFlag, outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { printList } from "../../command/print-result.ts";
import { relativeTime } from "../../terminal/relative-time.ts";

export const command = defineCommand({
  summary: "list the members of the organization",
  aliases: ["ls"],
  arguments: {},
  flags: {
    column: columnFlag(
      [
        "username",
        "name",
        "organization roles",
        "last seen at",
        "user id",
        "organization id",
        "user created at",
        "user updated at",
        "created at",
        "updated at",
      ],
      ["username", "name", "organization roles"],
    ),
    output: outputFlag,
  },
  examples: [{ line: "slipway organizations members list", summary: "all members you can see" }],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const params = { organization: settings.organization };
  const members = await connect(settings).call(listMembers, { params, signal });
  const now = clock.now();
  const when = (time: string): string =>
    time === zeroTimestamp ? "never" : relativeTime(Date.parse(time), now);
  return printList(terminal, members, options, {
    columns: {
      username: ({ username }) => username,
      name: ({ name }) => name,
      "organization roles": ({ roles }) => roles.map(({ name }) => name).join(", ") || "member",
      "last seen at": ({ last_seen_at }) => when(last_seen_at),
      "user id": ({ user_id }) => user_id,
      "organization id": ({ organization_id }) => organization_id,
      "user created at": ({ user_created_at }) => when(user_created_at),
      "user updated at": ({ user_updated_at }) => when(user_updated_at),
      "created at": ({ created_at }) => when(created_at),
      "updated at": ({ updated_at }) => when(updated_at),
    },
    none: "no members",
  });
}
