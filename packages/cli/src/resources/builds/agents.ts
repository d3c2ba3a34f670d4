import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import type { AgentLog } from "@slipway/api/agents/log-routes";
import type { WorkspaceBuild } from "@slipway/api/builds/build";
import { getExternalAgentCredentials } from "@slipway/api/workspaces/external-agent-routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { ApiError } from "@slipway/sdk/http";
import { externalAgentType } from "@slipway/template";

import type { ClientNeeds } from "../../command/needs.ts";
import { readPatiently } from "../../command/patient-read.ts";

/** Returns the agents that a build created, except those of dev containers inside them. */
export function rootAgents({ resources }: Pick<WorkspaceBuild, "resources">): WorkspaceAgent[] {
  return allAgents({ resources }).filter(({ parent_id }) => parent_id === null);
}

/** Returns all agents of a build, in the order of its resources. */
export function allAgents({ resources }: Pick<WorkspaceBuild, "resources">): WorkspaceAgent[] {
  return resources.flatMap(({ agents }) => agents);
}

/** Returns the source of a line in an agent's log: `main/Prepare`. */
export function logSource(
  agent: Pick<WorkspaceAgent, "name" | "log_sources">,
  entry: AgentLog,
): string {
  const source = agent.log_sources.find(({ id }) => id === entry.source_id);
  return source === undefined ? agent.name : `${agent.name}/${source.display_name}`;
}

/** Returns whether a person must start an agent and has not started it yet, so that waiting for it is useless. */
export function isStartedByPerson(
  { resources }: Pick<WorkspaceBuild, "resources">,
  { status, parent_id: parent, resource_id: place }: WorkspaceAgent,
): boolean {
  if (status === "connected" || parent !== null) return false;
  return resources.some(({ id, type }) => id === place && type === externalAgentType);
}

/** Returns the command that starts an agent by hand; it contains the agent's token. */
export async function readStartCommand(
  { id }: Pick<Workspace, "id">,
  { name }: Pick<WorkspaceAgent, "name">,
  { client, signal }: Pick<ClientNeeds, "client" | "signal">,
): Promise<string> {
  const params = { workspace: id, agent: name };
  return (await client.call(getExternalAgentCredentials, { params, signal })).command;
}

/** Returns the commands for the agents that a person must start; none for a user who may not read them. */
export async function readStartCommands(
  workspace: Pick<Workspace, "id">,
  build: WorkspaceBuild,
  needs: ClientNeeds,
): Promise<readonly string[]> {
  const waiting = rootAgents(build).filter((agent) => isStartedByPerson(build, agent));
  try {
    return await readPatiently(
      () => Promise.all(waiting.map((agent) => readStartCommand(workspace, agent, needs))),
      needs,
    );
  } catch (error) {
    if (error instanceof ApiError) return [];
    throw error;
  }
}
