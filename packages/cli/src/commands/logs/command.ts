import { defineCommand } from "../../command/definition.ts";
import { outputFlag } from "../../command/flags.ts";
import { workspaceArgument } from "../workspace/argument.ts";

export const command = defineCommand({
  name: "logs",
  summary: "show the log of a build and of its agents",
  description:
    "Shows the log of a build and of its agents, by time. With --follow it goes on with what comes, also while " +
    "the server restarts. JSON is one object a line.",
  arguments: { workspace: workspaceArgument },
  flags: {
    follow: { kind: "switch", short: "f", summary: "go on with what comes" },
    buildNumber: {
      kind: "integer",
      short: "n",
      value: "number",
      summary: "number of the build; negative counts from the newest; the newest unless given",
    },
    agent: { kind: "text", value: "name", summary: "only the log of this agent" },
    output: outputFlag,
  },
  examples: [
    { line: "slipway logs demo -f", summary: "follow the newest build and its agents" },
    { line: "slipway logs demo -n -1", summary: "the build before" },
    { line: "slipway logs demo --agent main -o json", summary: "one agent, for programs" },
  ],
});
