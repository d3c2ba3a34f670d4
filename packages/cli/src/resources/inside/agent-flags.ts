import type { TextFlag } from "../../command/flags.ts";

/** The flags of commands that call the server as the workspace's agent. */
export const agentFlags = {
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
} as const satisfies Readonly<Record<string, TextFlag>>;

/** The same for commands that are mostly used elsewhere. */
export const hiddenAgentFlags = {
  agentUrl: { ...agentFlags.agentUrl, hidden: true },
  agentToken: { ...agentFlags.agentToken, hidden: true },
} as const satisfies Readonly<Record<string, TextFlag>>;
