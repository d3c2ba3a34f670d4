import { defineCommand } from "../../command/definition.ts";
import { agentFlags } from "../../resources/inside/agent-flags.ts";

export const command = defineCommand({
  summary: "answer Git with the workspace owner's token, as its GIT_ASKPASS",
  description:
    "Answer Git's prompt for a user name or password with the workspace owner's token for that host. Workspaces " +
    "have it as their GIT_ASKPASS. If the owner has to log in to the host first, the command prints the login URL and " +
    "waits. Exits with 1 for a host that the server has no tokens for, so that Git asks the user.",
  arguments: { prompt: { summary: "Git's question", required: true } },
  flags: agentFlags,
  examples: [
    {
      line: `slipway gitaskpass "Username for 'https://github.com': "`,
      summary: "what Git runs",
    },
  ],
});
