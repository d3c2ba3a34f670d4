import { AgentSocketClient, AgentSocketError, defaultAgentSocketPath } from "@slipway/sdk/inside";

import { CommandError } from "../../command/errors.ts";
import type { TextFlag } from "../../command/flags.ts";

/** The flag of commands that call the workspace's agent over its socket. */
export const socketFlag = {
  kind: "text",
  value: "path",
  variable: "CODER_AGENT_SOCKET_PATH",
  summary: `socket of the agent (default: ${defaultAgentSocketPath})`,
} as const satisfies TextFlag;

/** The argument of a unit. */
export const unitArgument = { summary: "name of the unit, mostly of a script" } as const;

/** Connects to the agent of the workspace. Throws `CommandError` if it cannot be called; the caller disposes of it. */
export async function connectToAgent(
  path: string | undefined,
  signal: AbortSignal,
): Promise<AgentSocketClient> {
  try {
    return await AgentSocketClient.connect(path ?? defaultAgentSocketPath, signal);
  } catch (error) {
    if (!(error instanceof AgentSocketError)) throw error;
    const hint = "run this command inside a workspace, as the user of its agent";
    throw new CommandError(error.message, { hint, cause: error });
  }
}
