import { defineCommand } from "../../command/definition.ts";
import { noWaitFlag, outputFlag, yesFlag } from "../../command/flags.ts";
import { workspacesArgument } from "../../resources/workspaces/argument.ts";

export const command = defineCommand({
  summary: "delete a workspace and everything in it",
  aliases: ["rm"],
  arguments: { workspaces: workspacesArgument },
  flags: {
    yes: yesFlag,
    orphan: {
      kind: "switch",
      summary: "delete only the record of the workspace, not its resources",
    },
    noWait: noWaitFlag,
    output: outputFlag,
  },
  examples: [
    { line: "slipway delete demo", summary: "ask for confirmation" },
    { line: "slipway delete demo -y", summary: "without confirmation" },
  ],
});
