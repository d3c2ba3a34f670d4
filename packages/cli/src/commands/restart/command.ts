import { defineCommand } from "../../command/definition.ts";
import { needlessYesFlag, noWaitFlag, outputFlag } from "../../command/flags.ts";
import { alwaysPromptFlag, parameterFlags } from "../../resources/parameters/flags.ts";
import { workspacesArgument } from "../../resources/workspaces/argument.ts";

export const command = defineCommand({
  summary: "restart a workspace",
  arguments: { workspaces: workspacesArgument },
  flags: {
    yes: needlessYesFlag,
    ...parameterFlags,
    alwaysPrompt: alwaysPromptFlag,
    update: { kind: "switch", summary: "update to the template's active version" },
    noWait: { ...noWaitFlag, summary: "return as soon as the start is queued" },
    output: outputFlag,
  },
  examples: [
    { line: "slipway restart demo", summary: "with the same version" },
    { line: "slipway restart demo --update", summary: "with the template's active version" },
  ],
});
