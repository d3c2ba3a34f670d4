import type { TextFlag } from "../../command/flags.ts";

/** The flags of commands that call the server as the workspace's agent. */
export const agentFlags = {
  auth: {
    kind: "text",
    value: "method",
    variable: "CODER_AGENT_AUTH",
    summary:
      "authentication method: token, or aws-, azure- or google-instance-identity (default: token)",
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
  agentTokenFile: {
    kind: "text",
    value: "file",
    variable: "CODER_AGENT_TOKEN_FILE",
    summary: "file that contains the agent's token",
  },
  agentName: {
    kind: "text",
    value: "name",
    variable: "CODER_AGENT_NAME",
    summary: "name of this agent, if the instance has several",
  },
} as const satisfies Readonly<Record<string, TextFlag>>;

/** The same for commands that are mostly used elsewhere. */
export const hiddenAgentFlags = {
  auth: { ...agentFlags.auth, hidden: true },
  agentUrl: { ...agentFlags.agentUrl, hidden: true },
  agentToken: { ...agentFlags.agentToken, hidden: true },
  agentTokenFile: { ...agentFlags.agentTokenFile, hidden: true },
  agentName: { ...agentFlags.agentName, hidden: true },
} as const satisfies Readonly<Record<string, TextFlag>>;
