import { defineCommand } from "../../command/definition.ts";
import { needlessYesFlag, outputFlag } from "../../command/flags.ts";
import { workspaceArgument } from "../workspace/argument.ts";

export const command = defineCommand({
  name: "autoupdate",
  summary: "say whether a workspace starts with the active version of its template",
  arguments: {
    workspace: workspaceArgument,
    policy: { summary: "always or never", required: true, completes: ["always", "never"] },
  },
  flags: {
    yes: needlessYesFlag,
    output: outputFlag,
  },
  examples: [
    { line: "slipway autoupdate demo always", summary: "each start brings demo up to date" },
  ],
});
