import { defineCommand } from "../../../command/definition.ts";
import { outputFlag } from "../../../command/flags.ts";
import { workspaceArgument } from "../../../resources/workspaces/argument.ts";

export const command = defineCommand({
  summary: "set how long after a start a workspace stops automatically",
  arguments: {
    workspace: workspaceArgument,
    duration: { summary: "8h, 1h30m, or manual to clear it", required: true },
  },
  flags: { output: outputFlag },
  examples: [
    { line: "slipway schedule stop demo 8h", summary: "from the next start on" },
    { line: "slipway schedule stop demo manual", summary: "stop demo only manually" },
  ],
});
