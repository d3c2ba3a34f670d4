import { defineCommand } from "../../command/definition.ts";
import { outputFlag } from "../../command/flags.ts";
import { workspaceArgument } from "../../resources/workspaces/workspace-arguments.ts";

export const command = defineCommand({
  summary: "show a workspace: schedule, parameters, agents, apps and scripts",
  arguments: { workspace: workspaceArgument },
  flags: {
    output: outputFlag,
    details: { kind: "switch", summary: "no effect: details are always shown", hidden: true },
  },
  examples: [
    { line: "slipway show demo", summary: "your own workspace" },
    { line: "slipway show ada/demo -o json", summary: "another user's, as JSON" },
  ],
});
