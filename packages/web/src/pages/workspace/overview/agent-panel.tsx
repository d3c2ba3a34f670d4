import type { LifecycleState, WorkspaceAgent } from "@slipway/api/agents/agent";
import { getListeningPorts } from "@slipway/api/agents/listening-port-routes";
import { ApiError } from "@slipway/sdk/http";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { routeQuery } from "../../../api/queries.ts";
import { errorText } from "../../../ui/error-text.ts";
import { Panel } from "../../../ui/layout.tsx";
import { Status, type Tone } from "../../../ui/status.tsx";
import { Tabs } from "../../../ui/tabs.tsx";
import { UntrustedText } from "../../../ui/untrusted-text.tsx";
import { useWorkspaceParams } from "../use-workspace.tsx";
import { AgentApps } from "./agent-apps.tsx";
import { AgentContainers } from "./agent-containers.tsx";
import { AgentLadder } from "./agent-ladder.tsx";
import { AgentLogs } from "./agent-logs.tsx";
import { AgentMetadata } from "./agent-metadata.tsx";
import { AgentPorts } from "./agent-ports.tsx";
import { AgentStart } from "./agent-start.tsx";
import { type AgentView, agentViews } from "./agent-views.ts";
import type { AgentReach } from "./connect-ladder.ts";
import { WaysToConnect } from "./ways-to-connect.tsx";

const route = getRouteApi("/member/framed/@{$owner}/$workspace/");

interface AgentPanelProps {
  readonly agent: WorkspaceAgent;
  /** The agents of its dev containers. */
  readonly subAgents: readonly WorkspaceAgent[];
}

/** An agent: how far it is, what it offers, and the agents inside it. */
export function AgentPanel({ agent, subAgents }: AgentPanelProps): ReactNode {
  const { view = "apps" } = route.useSearch();
  const reach = useReach(agent);
  const { tone, text } = agentStatus(agent);
  return (
    <Panel
      isFlush
      title={
        <span className="inline-flex flex-wrap items-center gap-x-3">
          <UntrustedText>{agent.name}</UntrustedText>
          <span className="text-sm font-normal">
            <Status tone={tone}>{text}</Status>
          </span>
        </span>
      }
      actions={
        <span className="text-xs text-ink-soft">
          <UntrustedText>
            {[agent.operating_system, agent.architecture, agent.version]
              .filter(Boolean)
              .join(" · ")}
          </UntrustedText>
        </span>
      }
    >
      <AgentLadder agent={agent} reach={reach} />
      <ViewTabs agent={agent} />
      <View view={view} agent={agent} />
      {subAgents.map((one) => (
        <div key={one.id} className="border-t border-line p-4">
          <AgentPanel agent={one} subAgents={[]} />
        </div>
      ))}
    </Panel>
  );
}

function ViewTabs({ agent }: { readonly agent: WorkspaceAgent }): ReactNode {
  const params = useWorkspaceParams();
  return (
    <div className="px-2">
      <Tabs
        label={`Agent ${agent.name}`}
        tabs={agentViews.map(({ view, label }) => ({
          label,
          link: {
            to: "/@{$owner}/$workspace",
            params,
            search: view === "apps" ? {} : { view },
            activeOptions: { exact: true, includeSearch: true },
            resetScroll: false,
          },
        }))}
      />
    </div>
  );
}

function View({
  view,
  agent,
}: {
  readonly view: AgentView;
  readonly agent: WorkspaceAgent;
}): ReactNode {
  switch (view) {
    case "apps":
      return (
        <>
          <AgentMetadata agent={agent} />
          <AgentApps agent={agent} />
        </>
      );
    case "ports":
      return <AgentPorts agent={agent} />;
    case "start":
      return <AgentStart agent={agent} />;
    case "log":
      return <AgentLogs agent={agent} />;
    case "containers":
      return <AgentContainers agent={agent} />;
    case "connect":
      return <WaysToConnect agent={agent} />;
  }
}

/** Returns whether the server reaches an agent: it does if it can ask it for its ports. */
function useReach({ id, status }: WorkspaceAgent): AgentReach {
  const ports = useQuery({
    ...routeQuery(getListeningPorts, { params: { agent: id } }),
    enabled: status === "connected",
  });
  if (ports.isSuccess) return { kind: "reached" };
  if (!ports.isError) return { kind: "unknown" };
  const { error } = ports;
  const reason =
    error instanceof ApiError ? (error.body.detail ?? error.message) : errorText(error);
  return { kind: "failed", reason };
}

const lifecycleTexts: Readonly<Record<LifecycleState, string>> = {
  created: "Connected",
  starting: "Running start scripts",
  start_timeout: "Start scripts are slow",
  start_error: "Ready, a start script failed",
  ready: "Ready",
  shutting_down: "Shutting down",
  shutdown_timeout: "Shutting down",
  shutdown_error: "Shutting down",
  off: "Off",
};

function agentStatus({ status, lifecycle_state: state }: WorkspaceAgent): {
  readonly tone: Tone;
  readonly text: string;
} {
  if (status === "connecting") return { tone: "active", text: "Waiting for its first contact" };
  if (status === "timeout") return { tone: "bad", text: "No contact" };
  if (status === "disconnected") {
    return { tone: "bad", text: state === "off" ? "Not running" : "Connection lost" };
  }
  const isWarning = state === "start_timeout" || state === "start_error";
  const tone = isWarning ? "warn" : state === "starting" ? "active" : "good";
  return { tone, text: lifecycleTexts[state] };
}
