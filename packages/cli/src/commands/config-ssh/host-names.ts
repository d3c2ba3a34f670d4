import type { Workspace } from "@slipway/api";

/** Names that mean only themselves in `ssh_config`: a server is not trusted to send others. */
const plainName = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;

/** Returns the names of workspaces as hosts, of several agents each as `workspace.agent`. */
export function hostNames(
  workspaces: readonly Pick<Workspace, "name" | "latest_build">[],
): readonly string[] {
  return workspaces
    .flatMap(({ name, latest_build: { resources } }) => {
      const agents = resources.flatMap((resource) => resource.agents ?? []);
      return agents.length < 2 ? [[name]] : agents.map((agent) => [name, agent.name]);
    })
    .filter((parts) => parts.every((part) => plainName.test(part)))
    .map((parts) => parts.join("."));
}
