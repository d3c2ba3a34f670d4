import { defineCommand } from "../../command/definition.ts";
import { outputFlag } from "../../command/flags.ts";
import { workspaceArgument } from "../workspace/argument.ts";

export const command = defineCommand({
  name: "favorite",
  summary: "list a workspace before the others",
  arguments: { workspace: workspaceArgument },
  flags: { output: outputFlag },
  examples: [{ line: "slipway favorite demo", summary: "demo comes first in lists" }],
});
