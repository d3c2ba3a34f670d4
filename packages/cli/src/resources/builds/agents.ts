import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import type { AgentLog } from "@slipway/api/agents/log-routes";
import type { WorkspaceBuild } from "@slipway/api/builds/build";

/** Returns the agents that a build created, without those of dev containers inside them. */
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
