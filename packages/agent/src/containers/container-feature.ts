import type { ContainerAccess } from "./agent-containers.ts";

/** The containers of an agent, or the reason why it leaves them alone (docs/protocol/agent.md §8.6). */
export type ContainerFeature<Access = ContainerAccess> =
  | { readonly isEnabled: true; readonly access: Access }
  | { readonly isEnabled: false; readonly reason: "off" | "sub-agent" };

/** The same for services that only run commands in containers. */
export type ContainerSessions = ContainerFeature<Pick<ContainerAccess, "prepare">>;

/** Says to people why there are no containers. */
export function disabledText(reason: "off" | "sub-agent"): string {
  return reason === "off"
    ? "Containers are turned off for this agent: CODER_AGENT_DEVCONTAINERS_ENABLE is false."
    : "The agent of a dev container has no containers of its own.";
}
