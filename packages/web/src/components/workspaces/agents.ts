import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import type { WorkspaceBuild } from "@slipway/api/builds/build";
import type { Workspace } from "@slipway/api/workspaces/workspace";

/** Returns the agents of a build, those that belong to other agents included. */
export function agentsOf({
  resources,
}: Pick<WorkspaceBuild, "resources">): readonly WorkspaceAgent[] {
  return resources.flatMap(({ agents }) => agents);
}

/** Returns whether a workspace that is not healthy lacks only agents that still have time to connect. */
export function isConnecting({
  latest_build: build,
  health,
}: Pick<Workspace, "health"> & {
  readonly latest_build: Pick<WorkspaceBuild, "resources">;
}): boolean {
  const failing = agentsOf(build).filter(({ id }) => health.failing_agents.includes(id));
  return failing.length > 0 && failing.every(({ status }) => status === "connecting");
}
