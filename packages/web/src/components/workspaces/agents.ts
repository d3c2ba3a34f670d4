import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import type { WorkspaceBuild } from "@slipway/api/builds/build";

/** Returns the agents of a build, those that belong to other agents included. */
export function agentsOf({
  resources,
}: Pick<WorkspaceBuild, "resources">): readonly WorkspaceAgent[] {
  return resources.flatMap(({ agents }) => agents);
}
