import { getWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { isRetryable } from "@slipway/sdk/http";

import type { ClientNeeds } from "../../command/client-needs.ts";
import { allAgents } from "../builds/agents.ts";
import type { OpenedAgent } from "./reach-agent.ts";

/**
 * Returns the workspace as it is now if an agent is of a build that another one has replaced, so that it never answers
 * again; undefined if the agent may answer. A server that cannot be asked says nothing about it.
 */
export async function replacementOf(
  { workspace, agent }: Pick<OpenedAgent, "workspace" | "agent">,
  { client, signal }: Pick<ClientNeeds, "client" | "signal">,
): Promise<Workspace | undefined> {
  try {
    const now = await client.call(getWorkspace, { params: { workspace: workspace.id }, signal });
    return allAgents(now.latest_build).some(({ id }) => id === agent.id) ? undefined : now;
  } catch (error) {
    signal.throwIfAborted();
    if (isRetryable(error)) return undefined;
    throw error;
  }
}
