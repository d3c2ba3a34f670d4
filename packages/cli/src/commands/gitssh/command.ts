import { defineCommand } from "../../command/definition.ts";
import { agentFlags } from "../../resources/inside/agent-flags.ts";

export const command = defineCommand({
  summary: "run ssh with the workspace owner's key for Git, as GIT_SSH_COMMAND",
  description:
    "Run ssh with the key that slipway publickey prints, behind the user's own keys. Workspaces have it as their " +
    "GIT_SSH_COMMAND. Exits with the exit code of ssh.",
  arguments: {
    arguments: { summary: "arguments of ssh", required: true, variadic: true },
  },
  flags: agentFlags,
  examples: [
    { line: "slipway gitssh -- git@github.com", summary: "test whether the host knows the key" },
  ],
});
