import { defineCommand } from "../../../command/definition.ts";
import { needlessYesFlag, outputFlag } from "../../../command/flags.ts";
import { templateArgument } from "../../../resources/templates/arguments.ts";

export const command = defineCommand({
  summary: "archive failed or unused versions of a template",
  arguments: { template: templateArgument },
  flags: {
    yes: needlessYesFlag,
    all: { kind: "switch", summary: "archive all unused versions, not only failed ones" },
    output: outputFlag,
  },
  examples: [
    { line: "slipway templates archive small", summary: "failed versions" },
    { line: "slipway templates archive small --all", summary: "all unused versions" },
  ],
});
