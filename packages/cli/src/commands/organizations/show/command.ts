import { defineCommand } from "../../../command/definition.ts";
import { columnFlag, outputFlag } from "../../../command/flags.ts";
import { organizationColumnNames } from "../../../resources/organizations/columns.ts";

export const command = defineCommand({
  summary: "show an organization",
  arguments: {
    organization: {
      summary: "name or id; selected for the current one, me for all of yours (default: selected)",
      required: false,
      completes: ["selected", "me"],
    },
  },
  flags: {
    onlyId: { kind: "switch", summary: "print only the id, for scripts" },
    column: columnFlag(organizationColumnNames, ["id", "name", "default"]),
    output: outputFlag,
  },
  examples: [
    { line: "slipway organizations show --only-id", summary: "the id of the current organization" },
  ],
});
