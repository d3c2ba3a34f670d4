import type { WorkspaceAgent } from "@slipway/api/agents/agent";

import { agentsOf } from "../../components/workspaces/agents.ts";
import { useWorkspace } from "./use-workspace.tsx";

/** Returns the agents of the newest build, and the one of a name; the first if there is none of it. */
export function useChosenAgent(name: string | undefined): {
  readonly agents: readonly WorkspaceAgent[];
  readonly agent: WorkspaceAgent | undefined;
} {
  const { latest_build: build } = useWorkspace();
  const all = agentsOf(build);
  const agents = build.transition === "start" ? all : [];
  return { agents, agent: agents.find((one) => one.name === name) ?? agents[0] };
}
