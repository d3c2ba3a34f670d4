import { defineCommand } from "../../../../command/definition.ts";
import { columnFlag, outputFlag } from "../../../../command/flags.ts";
import { templateArgument } from "../../../../resources/templates/arguments.ts";

export const command = defineCommand({
  summary: "list the presets of a template",
  aliases: ["ls"],
  arguments: { template: templateArgument },
  flags: {
    templateVersion: {
      kind: "text",
      value: "name",
      completes: "version",
      summary: "template version (default: the active version)",
    },
    column: columnFlag([
      "name",
      "default",
      "desired prebuild instances",
      "parameters",
      "description",
    ]),
    output: outputFlag,
  },
  examples: [
    { line: "slipway templates presets list small", summary: "presets and their parameters" },
  ],
});
