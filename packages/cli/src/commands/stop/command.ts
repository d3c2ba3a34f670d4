import { defineCommand } from "../../command/definition.ts";
import { needlessYesFlag, noWaitFlag, outputFlag } from "../../command/flags.ts";
import { workspacesArgument } from "../workspace/argument.ts";

export const command = defineCommand({
  name: "stop",
  summary: "stop a workspace; what its template keeps stays",
  arguments: { workspaces: workspacesArgument },
  flags: {
    yes: needlessYesFlag,
    noWait: noWaitFlag,
    output: outputFlag,
  },
  examples: [
    { line: "slipway stop demo", summary: "and wait until it has stopped" },
    { line: "slipway stop demo trial --no-wait", summary: "two, and do not wait" },
  ],
});
