import { listOrganizations } from "@slipway/api/organizations/routes";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { columnFlag, outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { printList } from "../../command/print-result.ts";
import {
  organizationColumnNames,
  organizationColumns,
} from "../../resources/accounts/organizations.ts";

export const command = defineCommand({
  summary: "list organizations; this server has one",
  aliases: ["ls"],
  arguments: {},
  flags: {
    column: columnFlag(organizationColumnNames, ["name", "display name", "id", "default"]),
    output: outputFlag,
  },
  examples: [{ line: "slipway organizations list", summary: "name and id" }],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const organizations = await connect(settings).call(listOrganizations, { signal });
  const columns = organizationColumns(clock.now());
  return printList(terminal, organizations, options, { columns, none: "no organizations" });
}
