import { defineCommand } from "../../command/definition.ts";
import { outputFlag } from "../../command/flags.ts";
import { workspaceArgument } from "../../resources/workspaces/argument.ts";

export const command = defineCommand({
  summary: "remove a workspace from your favorites",
  aliases: ["unfav", "unfavourite"],
  arguments: { workspace: workspaceArgument },
  flags: { output: outputFlag },
  examples: [{ line: "slipway unfavorite demo", summary: "list demo in its usual place" }],
});
