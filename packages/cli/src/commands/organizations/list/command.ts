import { defineCommand } from "../../../command/definition.ts";
import { columnFlag, outputFlag } from "../../../command/flags.ts";
import { organizationColumnNames } from "../../../resources/organizations/columns.ts";

export const command = defineCommand({
  name: "organizations list",
  summary: "list organizations; this server has one",
  arguments: {},
  flags: {
    column: columnFlag(organizationColumnNames, ["name", "display name", "id", "default"]),
    output: outputFlag,
  },
  examples: [{ line: "slipway organizations list", summary: "name and id" }],
});
