import { defineCommand } from "../../command/definition.ts";
import { outputFlag } from "../../command/flags.ts";
import { workspaceArgument } from "../workspace/argument.ts";

export const command = defineCommand({
  name: "unfavorite",
  summary: "list a workspace among the others again",
  arguments: { workspace: workspaceArgument },
  flags: { output: outputFlag },
  examples: [{ line: "slipway unfavorite demo", summary: "demo comes in its turn again" }],
});
