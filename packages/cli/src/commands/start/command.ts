import { defineCommand } from "../../command/definition.ts";
import { needlessYesFlag, noWaitFlag, parameterFlag } from "../../command/flags.ts";
import { workspaceArgument } from "../workspace/argument.ts";

export const command = defineCommand({
  name: "start",
  summary: "start a workspace",
  arguments: { workspace: workspaceArgument },
  flags: {
    yes: needlessYesFlag,
    parameter: parameterFlag,
    update: { kind: "switch", summary: "with the template's active version" },
    noWait: noWaitFlag,
  },
  examples: [
    { line: "slipway start demo", summary: "as it was" },
    { line: "slipway start demo --update --parameter size=large", summary: "newer and larger" },
  ],
});
