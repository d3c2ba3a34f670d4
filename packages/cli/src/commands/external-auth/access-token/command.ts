import { defineCommand } from "../../../command/definition.ts";
import { outputFlag } from "../../../command/flags.ts";

export const command = defineCommand({
  summary: "print the workspace owner's token for a git host, inside the workspace",
  description:
    "Request a token of the workspace's owner from the server, as the workspace's agent. If the owner has to log " +
    "in to the provider first, the command prints the login URL and exits with 1.",
  arguments: { provider: { summary: "id of the provider", required: true } },
  flags: {
    extra: {
      kind: "text",
      value: "path",
      summary: "print a field of the token response, such as a.b",
    },
    agentUrl: {
      kind: "text",
      value: "url",
      variable: "CODER_AGENT_URL",
      summary: "address of the server",
    },
    agentToken: {
      kind: "text",
      value: "token",
      variable: "CODER_AGENT_TOKEN",
      summary: "the agent's token",
    },
    output: outputFlag,
  },
  examples: [{ line: "slipway external-auth access-token github", summary: "print the token" }],
});
