import { defineCommand } from "../../../command/definition.ts";
import { columnFlag, outputFlag } from "../../../command/flags.ts";
import { organizationColumnNames } from "../../../resources/organizations/columns.ts";

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
