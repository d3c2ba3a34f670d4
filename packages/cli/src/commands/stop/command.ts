import { defineCommand } from "../../command/definition.ts";
import { needlessYesFlag, noWaitFlag } from "../../command/flags.ts";
import { workspaceArgument } from "../workspace/argument.ts";

export const command = defineCommand({
  name: "stop",
  summary: "stop a workspace; what its template keeps stays",
  arguments: { workspace: workspaceArgument },
  flags: {
    yes: needlessYesFlag,
    noWait: noWaitFlag,
  },
  examples: [{ line: "slipway stop demo", summary: "and wait until it has stopped" }],
});
