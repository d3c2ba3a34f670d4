import { defineCommand } from "../../command/definition.ts";
import { needlessYesFlag, outputFlag } from "../../command/flags.ts";
import { workspaceArgument } from "../../resources/workspaces/argument.ts";

export const command = defineCommand({
  summary: "rename a workspace",
  arguments: {
    workspace: workspaceArgument,
    name: { summary: "the new name", required: true },
  },
  flags: {
    yes: needlessYesFlag,
    output: outputFlag,
  },
  examples: [{ line: "slipway rename demo trial", summary: "rename demo to trial" }],
});
