import { defineCommand } from "../../command/definition.ts";
import { needlessYesFlag, outputFlag } from "../../command/flags.ts";
import { workspaceArgument } from "../workspace/argument.ts";

export const command = defineCommand({
  name: "rename",
  summary: "give a workspace another name",
  arguments: {
    workspace: workspaceArgument,
    name: { summary: "the new name", required: true },
  },
  flags: {
    yes: needlessYesFlag,
    output: outputFlag,
  },
  examples: [{ line: "slipway rename demo trial", summary: "demo is called trial from now on" }],
});
