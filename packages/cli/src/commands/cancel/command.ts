import { defineCommand } from "../../command/definition.ts";
import { outputFlag } from "../../command/flags.ts";
import { workspaceArgument } from "../../resources/workspaces/argument.ts";

export const command = defineCommand({
  summary: "cancel a workspace's running build",
  arguments: { workspace: workspaceArgument },
  flags: { output: outputFlag },
  examples: [{ line: "slipway cancel demo", summary: "cancel its start or stop" }],
});
