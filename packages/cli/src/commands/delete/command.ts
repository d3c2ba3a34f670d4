import { defineCommand } from "../../command/definition.ts";
import { noWaitFlag, outputFlag, yesFlag } from "../../command/flags.ts";
import { workspacesArgument } from "../workspace/argument.ts";

export const command = defineCommand({
  name: "delete",
  summary: "delete a workspace and what is in it",
  arguments: { workspaces: workspacesArgument },
  flags: {
    yes: yesFlag,
    orphan: { kind: "switch", summary: "forget the workspace, and leave alone what it is made of" },
    noWait: noWaitFlag,
    output: outputFlag,
  },
  examples: [
    { line: "slipway delete demo", summary: "asks first" },
    { line: "slipway delete demo -y", summary: "in scripts" },
  ],
});
