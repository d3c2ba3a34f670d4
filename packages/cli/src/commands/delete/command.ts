import { defineCommand } from "../../command/definition.ts";
import { noWaitFlag, yesFlag } from "../../command/flags.ts";
import { workspaceArgument } from "../workspace/argument.ts";

export const command = defineCommand({
  name: "delete",
  summary: "delete a workspace and what is in it",
  arguments: { workspace: workspaceArgument },
  flags: {
    yes: yesFlag,
    orphan: { kind: "switch", summary: "forget the workspace, and leave alone what it is made of" },
    noWait: noWaitFlag,
  },
  examples: [
    { line: "slipway delete demo", summary: "asks first" },
    { line: "slipway delete demo -y", summary: "in scripts" },
  ],
});
