import { getWorkspace } from "@slipway/api";
import { isRetryable } from "@slipway/sdk/http";

import type { ClientNeeds } from "../../command/client-needs.ts";
import { CommandError } from "../../command/errors.ts";
import { allAgents } from "../builds/agents.ts";
import { fullName } from "../workspaces/workspace-reference.ts";
import type { OpenedAgent } from "./reach-agent.ts";

/**
 * Throws `CommandError` if an agent is of a build that another one has replaced, so that it never answers again. A server
 * that cannot be asked says nothing about it.
 */
export async function expectAgent(
  { workspace, agent }: Pick<OpenedAgent, "workspace" | "agent">,
  { client, signal }: Pick<ClientNeeds, "client" | "signal">,
): Promise<void> {
  try {
    const now = await client.call(getWorkspace, { params: { workspace: workspace.id }, signal });
    if (allAgents(now.latest_build).some(({ id }) => id === agent.id)) return;
  } catch (error) {
    signal.throwIfAborted();
    if (isRetryable(error)) return;
    throw error;
  }
  throw new CommandError(`workspace ${fullName(workspace)} has been stopped or restarted`, {
    hint: "run the command again to reach it as it is now",
  });
}
