import { defineCommand } from "../../command/definition.ts";
import { needlessYesFlag, outputFlag } from "../../command/flags.ts";
import { workspaceArgument } from "../../resources/workspaces/argument.ts";

export const command = defineCommand({
  summary: "set whether a workspace updates to its template's active version on start",
  arguments: {
    workspace: workspaceArgument,
    policy: { summary: "always or never", required: true, completes: ["always", "never"] },
  },
  flags: {
    yes: needlessYesFlag,
    output: outputFlag,
  },
  examples: [{ line: "slipway autoupdate demo always", summary: "update demo on every start" }],
});
