import type { ProvisionerKey } from "@slipway/api/jobs/provisioner";
import { listProvisionerKeys } from "@slipway/api/organizations/provisioner-routes";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { columnFlag, outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { printList } from "../../command/print-result.ts";
import { tagsText } from "../../resources/builds/tags.ts";
import { relativeTime } from "../../terminal/relative-time.ts";
import type { Columns } from "../../terminal/table.ts";

export const command = defineCommand({
  summary: "list the keys of provisioners",
  aliases: ["ls"],
  arguments: {},
  flags: {
    column: columnFlag(["created at", "name", "tags", "id"], ["created at", "name", "tags"]),
    output: outputFlag,
  },
  examples: [{ line: "slipway provisioner keys list", summary: "their names and tags" }],
});

type ColumnName = (typeof command.flags.column.columns)[number];

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const keys = await connect(settings).call(listProvisionerKeys, {
    params: { organization: settings.organization },
    signal,
  });
  const now = clock.now();
  const columns: Columns<ProvisionerKey, ColumnName> = {
    "created at": ({ created_at }) => relativeTime(Date.parse(created_at), now),
    name: ({ name }) => name,
    tags: ({ tags }) => tagsText(tags) || "-",
    id: ({ id }) => id,
  };
  const none = "no keys; create one with: slipway provisioner keys create";
  return printList(terminal, keys, options, { columns, none });
}
