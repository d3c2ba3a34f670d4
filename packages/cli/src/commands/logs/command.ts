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
    tail: { kind: "integer", value: "lines", summary: "only the last so many lines" },
    since: {
      kind: "text",
      value: "time",
      summary: "only what is newer: a duration such as 1h, or a time such as 2026-01-31T09:00:00Z",
    },
    timestamps: { kind: "switch", short: "t", summary: "begin each line with its time" },
    output: outputFlag,
  },
  examples: [
    { line: "slipway logs demo -f", summary: "follow the newest build and its agents" },
    { line: "slipway logs demo -n -1", summary: "the build before" },
    { line: "slipway logs demo --since 1h --timestamps", summary: "the last hour" },
    { line: "slipway logs demo --tail 20 -f", summary: "the last 20 lines, and what comes" },
    { line: "slipway logs demo --agent main -o json", summary: "one agent, for programs" },
  ],
});
