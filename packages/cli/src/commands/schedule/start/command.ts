import { defineCommand } from "../../../command/definition.ts";
import { outputFlag } from "../../../command/flags.ts";
import { workspaceArgument } from "../../workspace/argument.ts";

export const command = defineCommand({
  name: "schedule start",
  summary: "say when a workspace starts by itself",
  arguments: {
    workspace: workspaceArgument,
    time: { summary: "9:30am, 17:00, or manual to take it back", required: true },
    days: { summary: "mon-fri, sat,sun; every day without it", required: false },
    zone: {
      summary: "a time zone such as Europe/Berlin; this machine's without it",
      required: false,
    },
  },
  flags: { output: outputFlag },
  examples: [
    { line: "slipway schedule start demo 9:30am mon-fri", summary: "on workdays" },
    { line: "slipway schedule start demo 9:30 mon-fri Europe/Berlin", summary: "in another zone" },
    { line: "slipway schedule start demo manual", summary: "only when somebody starts it" },
  ],
});
