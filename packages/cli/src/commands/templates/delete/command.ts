import { defineCommand } from "../../../command/definition.ts";
import { yesFlag } from "../../../command/flags.ts";
import { templateArgument } from "../../../resources/templates/arguments.ts";

export const command = defineCommand({
  summary: "delete a template that has no workspaces",
  aliases: ["rm"],
  arguments: { template: templateArgument },
  flags: { yes: yesFlag },
  examples: [
    { line: "slipway templates delete small", summary: "ask for confirmation" },
    { line: "slipway templates delete small -y", summary: "without confirmation" },
  ],
});
