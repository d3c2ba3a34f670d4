import { defineCommand } from "../../command/definition.ts";
import { needlessYesFlag, noWaitFlag, outputFlag } from "../../command/flags.ts";
import { workspacesArgument } from "../../resources/workspaces/argument.ts";

export const command = defineCommand({
  summary: "stop a workspace, keeping what its template persists",
  arguments: { workspaces: workspacesArgument },
  flags: {
    yes: needlessYesFlag,
    noWait: noWaitFlag,
    output: outputFlag,
  },
  examples: [
    { line: "slipway stop demo", summary: "wait until it has stopped" },
    { line: "slipway stop demo trial --no-wait", summary: "two workspaces, without waiting" },
  ],
});
