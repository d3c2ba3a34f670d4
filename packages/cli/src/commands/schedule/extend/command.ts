import { defineCommand } from "../../../command/definition.ts";
import { outputFlag } from "../../../command/flags.ts";
import { workspaceArgument } from "../../workspace/argument.ts";

export const command = defineCommand({
  name: "schedule extend",
  summary: "let a running workspace stop later, or sooner",
  arguments: {
    workspace: workspaceArgument,
    duration: { summary: "how long from now it still runs: 2h, 1h30m", required: true },
  },
  flags: { output: outputFlag },
  examples: [{ line: "slipway schedule extend demo 2h", summary: "it stops two hours from now" }],
});
