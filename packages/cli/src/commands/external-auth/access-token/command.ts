import { defineCommand } from "../../../command/definition.ts";
import { outputFlag } from "../../../command/flags.ts";

export const command = defineCommand({
  name: "external-auth access-token",
  summary: "print a token of the workspace's owner for a git host, inside the workspace",
  description:
    "Asks the server, as the agent of the workspace, for a token of its owner. Where the owner has to log in there " +
    "first, it prints the address for that and ends with 1.",
  arguments: { provider: { summary: "id of the provider", required: true } },
  flags: {
    extra: { kind: "text", value: "path", summary: "a field that came with the token, as a.b" },
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
  examples: [{ line: "slipway external-auth access-token github", summary: "only the token" }],
});
