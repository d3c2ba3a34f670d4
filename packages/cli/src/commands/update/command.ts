import { defineCommand } from "../../command/definition.ts";
import { noWaitFlag, outputFlag } from "../../command/flags.ts";
import { alwaysPromptFlag, parameterFlags } from "../parameters/flags.ts";
import { workspacesArgument } from "../workspace/argument.ts";

export const command = defineCommand({
  name: "update",
  summary: "bring a workspace to its template's active version, and start it",
  description:
    "Starts the workspace with the active version of its template. Values of parameters are kept; those that the new " +
    "version asks for anew are asked for on a terminal.",
  arguments: { workspaces: workspacesArgument },
  flags: {
    ...parameterFlags,
    alwaysPrompt: alwaysPromptFlag,
    noWait: noWaitFlag,
    output: outputFlag,
  },
  examples: [
    { line: "slipway update demo", summary: "as it was, but newer" },
    { line: "slipway update demo --parameter greeting=hi", summary: "with another value" },
  ],
});
