import { defineCommand } from "../../../../command/definition.ts";
import { outputFlag } from "../../../../command/flags.ts";
import { templateArgument } from "../../arguments.ts";

export const command = defineCommand({
  name: "templates versions list",
  summary: "list the versions of a template, newest first",
  arguments: { template: templateArgument },
  flags: {
    includeArchived: { kind: "switch", summary: "also those that are hidden" },
    output: outputFlag,
  },
  examples: [{ line: "slipway templates versions list small", summary: "name, state and message" }],
});
