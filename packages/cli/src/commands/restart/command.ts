import { defineCommand } from "../../command/definition.ts";
import { needlessYesFlag, noWaitFlag } from "../../command/flags.ts";
import { alwaysPromptFlag, parameterFlags } from "../parameters/flags.ts";
import { workspaceArgument } from "../workspace/argument.ts";

export const command = defineCommand({
  name: "restart",
  summary: "stop a workspace and start it again",
  arguments: { workspace: workspaceArgument },
  flags: {
    yes: needlessYesFlag,
    ...parameterFlags,
    alwaysPrompt: alwaysPromptFlag,
    update: { kind: "switch", summary: "with the template's active version" },
    noWait: { ...noWaitFlag, summary: "return as soon as the start is queued" },
  },
  examples: [
    { line: "slipway restart demo", summary: "as it was" },
    { line: "slipway restart demo --update", summary: "with the template's active version" },
  ],
});
