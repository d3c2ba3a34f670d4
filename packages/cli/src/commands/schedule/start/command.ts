import { defineCommand } from "../../../command/definition.ts";
import { outputFlag } from "../../../command/flags.ts";
import { workspaceArgument } from "../../../resources/workspaces/argument.ts";

export const command = defineCommand({
  summary: "set when a workspace starts automatically",
  arguments: {
    workspace: workspaceArgument,
    time: { summary: "9:30am, 17:00, or manual to clear it", required: true },
    days: { summary: "mon-fri, or sat,sun (default: every day)", required: false },
    zone: {
      summary: "time zone such as Europe/Berlin (default: this machine's)",
      required: false,
    },
  },
  flags: { output: outputFlag },
  examples: [
    { line: "slipway schedule start demo 9:30am mon-fri", summary: "on workdays" },
    {
      line: "slipway schedule start demo 9:30 mon-fri Europe/Berlin",
      summary: "in another time zone",
    },
    { line: "slipway schedule start demo manual", summary: "start demo only manually" },
  ],
});
