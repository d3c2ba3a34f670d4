import { defineCommand } from "../../command/definition.ts";
import { outputFlag } from "../../command/flags.ts";
import { workspaceArgument } from "../../resources/workspaces/workspace-arguments.ts";

export const command = defineCommand({
  summary: "show the logs of a build and its agents",
  description:
    "Show the logs of a build and its agents, ordered by time. With --follow, keep printing new lines, even " +
    "across restarts of the server. JSON output has one object per line.",
  arguments: { workspace: workspaceArgument },
  flags: {
    follow: { kind: "switch", short: "f", summary: "keep printing new lines" },
    buildNumber: {
      kind: "integer",
      short: "n",
      value: "number",
      summary: "build number; negative numbers count back from the newest (default: the newest)",
    },
    agent: { kind: "text", value: "name", summary: "only this agent's log" },
    tail: { kind: "integer", value: "lines", summary: "number of last lines to show" },
    since: {
      kind: "text",
      value: "time",
      summary:
        "only lines newer than this: a duration such as 1h, or a time such as 2026-01-31T09:00:00Z",
    },
    timestamps: { kind: "switch", short: "t", summary: "prefix each line with its timestamp" },
    output: outputFlag,
  },
  examples: [
    { line: "slipway logs demo -f", summary: "follow the newest build and its agents" },
    { line: "slipway logs demo -n -1", summary: "the previous build" },
    { line: "slipway logs demo --since 1h --timestamps", summary: "the last hour" },
    { line: "slipway logs demo --tail 20 -f", summary: "the last 20 lines, then new ones" },
    { line: "slipway logs demo --agent main -o json", summary: "one agent, as JSON" },
  ],
});
