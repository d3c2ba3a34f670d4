import { defineCommand } from "../../command/definition.ts";
import { noWaitFlag, outputFlag } from "../../command/flags.ts";
import { alwaysPromptFlag, parameterFlags } from "../../resources/parameters/flags.ts";
import { workspacesArgument } from "../../resources/workspaces/argument.ts";

export const command = defineCommand({
  summary: "update a workspace to its template's active version and start it",
  description:
    "Start the workspace with the active version of its template. Parameter values are kept; on a terminal, " +
    "slipway prompts for those that the new version requires anew.",
  arguments: { workspaces: workspacesArgument },
  flags: {
    ...parameterFlags,
    alwaysPrompt: alwaysPromptFlag,
    noWait: noWaitFlag,
    output: outputFlag,
  },
  examples: [
    { line: "slipway update demo", summary: "with the same parameters" },
    { line: "slipway update demo --parameter greeting=hi", summary: "with a new parameter value" },
  ],
});
