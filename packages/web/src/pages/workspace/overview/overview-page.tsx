import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import { getRouteApi } from "@tanstack/react-router";
import { CirclePause } from "lucide-react";
import type { ReactNode } from "react";

import { isBuilding } from "../../../components/workspaces/action-refusal.ts";
import { agentsOf } from "../../../components/workspaces/agents.ts";
import { parseWorkspaceAddress } from "../../../components/workspaces/workspace-address.ts";
import { EmptyState, Panel } from "../../../ui/layout.tsx";
import { useWorkspace } from "../use-workspace.tsx";
import { AgentPanel } from "./agent-panel.tsx";
import { BuildProgress } from "./build-progress.tsx";
import { FactsPanel } from "./facts-panel.tsx";
import { StopPanel } from "./stop-panel.tsx";

const route = getRouteApi("/member/framed/@{$owner}/$workspace");

/** The state of a workspace: its newest build, its agents, and when it stops. */
export function OverviewPage(): ReactNode {
  const workspace = useWorkspace();
  const named = parseWorkspaceAddress(route.useParams().workspace).agent;
  const { latest_build: build } = workspace;
  const { status, transition } = build;
  const isUndone = isBuilding(status) || status === "failed" || status === "canceled";
  const isStart = transition === "start";
  const agents = agentsOf(build);
  const roots = agents.filter(({ parent_id: parent }) => parent === null);
  const shown = roots.toSorted((a, b) => Number(b.name === named) - Number(a.name === named));
  return (
    <div className="grid items-start gap-5 xl:grid-cols-[minmax(0,1fr)_21rem]">
      <div className="flex min-w-0 flex-col gap-5">
        {isUndone && <BuildProgress build={build} workspace={workspace} />}
        {status === "stopped" && (
          <Panel>
            <EmptyState icon={<CirclePause size={28} />} title="This workspace is stopped">
              Start it to use its terminal, apps and files. Everything that its template keeps, such
              as its home directory or volumes, is still there.
            </EmptyState>
          </Panel>
        )}
        {isStart &&
          shown.map((agent) => (
            <AgentPanel key={agent.id} agent={agent} subAgents={childrenOf(agent, agents)} />
          ))}
      </div>
      <div className="flex min-w-0 flex-col gap-5">
        {status !== "deleted" && <StopPanel />}
        <FactsPanel />
      </div>
    </div>
  );
}

/** Returns the agents of dev containers beside an agent. */
function childrenOf(
  { id }: WorkspaceAgent,
  agents: readonly WorkspaceAgent[],
): readonly WorkspaceAgent[] {
  return agents.filter(({ parent_id: parent }) => parent === id);
}
