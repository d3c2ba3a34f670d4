import { defineCommand } from "../../command/definition.ts";
import { outputFlag } from "../../command/flags.ts";
import { workspaceArgument } from "../workspace/argument.ts";

export const command = defineCommand({
  name: "cancel",
  summary: "break off the build of a workspace that is not done",
  arguments: { workspace: workspaceArgument },
  flags: { output: outputFlag },
  examples: [{ line: "slipway cancel demo", summary: "stop waiting for its start or stop" }],
});
