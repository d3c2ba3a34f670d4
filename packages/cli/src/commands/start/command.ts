import { defineCommand } from "../../command/definition.ts";
import { needlessYesFlag, noWaitFlag, outputFlag } from "../../command/flags.ts";
import { alwaysPromptFlag, parameterFlags } from "../../resources/parameters/flags.ts";
import { workspacesArgument } from "../../resources/workspaces/argument.ts";

export const command = defineCommand({
  summary: "start a workspace",
  arguments: { workspaces: workspacesArgument },
  flags: {
    yes: needlessYesFlag,
    ...parameterFlags,
    alwaysPrompt: alwaysPromptFlag,
    update: { kind: "switch", summary: "update to the template's active version" },
    noWait: noWaitFlag,
    output: outputFlag,
  },
  examples: [
    { line: "slipway start demo", summary: "with the same version" },
    {
      line: "slipway start demo --update --parameter size=large",
      summary: "with the active version and a new parameter value",
    },
  ],
});
