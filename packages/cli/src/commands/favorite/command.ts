import { defineCommand } from "../../command/definition.ts";
import { outputFlag } from "../../command/flags.ts";
import { workspaceArgument } from "../../resources/workspaces/argument.ts";

export const command = defineCommand({
  summary: "add a workspace to your favorites, which are listed first",
  aliases: ["fav", "favourite"],
  arguments: { workspace: workspaceArgument },
  flags: { output: outputFlag },
  examples: [{ line: "slipway favorite demo", summary: "list demo first" }],
});
