import { defineCommand } from "../../../command/definition.ts";
import { outputFlag } from "../../../command/flags.ts";
import { workspaceArgument } from "../../../resources/workspaces/argument.ts";

export const command = defineCommand({
  summary: "change when a running workspace stops",
  aliases: ["override-stop"],
  arguments: {
    workspace: workspaceArgument,
    duration: { summary: "time from now until it stops, such as 2h or 1h30m", required: true },
  },
  flags: { output: outputFlag },
  examples: [{ line: "slipway schedule extend demo 2h", summary: "stop demo two hours from now" }],
});
