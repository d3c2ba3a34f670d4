import { type Workspace, type WorkspaceAgent } from "@slipway/api";

import type { ClientNeeds } from "../../../command/client-needs.ts";
import { agentPorts } from "../../../resources/network/agent-ports.ts";
import { latencyJson, pathJson } from "../../../resources/network/network-text.ts";
import { type OpenedAgent, openMeasuredAgent } from "../../../resources/network/reach-agent.ts";
import { agentNetworkFields, agentPathFields, agentPortsFields } from "./bundle-fields.ts";
import type { Bundle } from "./bundle.ts";
import { agentFolder } from "./collect-workspace.ts";

/** Collects what an agent tells itself, over the network. Nothing is started for it. */
export async function collectAgent(
  bundle: Bundle,
  workspace: Workspace,
  agent: WorkspaceAgent,
  needs: ClientNeeds,
): Promise<void> {
  const folder = agentFolder(agent);
  if (workspace.latest_build.status !== "running" || agent.status !== "connected") {
    const state = `workspace ${workspace.latest_build.status}, agent ${agent.status}`;
    bundle.miss(`${folder}/path.json`, `the agent cannot be reached: ${state}`);
    return;
  }
  await using opening = new AsyncDisposableStack();
  let opened: OpenedAgent | undefined;
  await bundle.addJson(`${folder}/path.json`, agentPathFields, async (signal) => {
    const reference = { workspace: workspace.id, agent: agent.name };
    opened = opening.use(
      await openMeasuredAgent(reference, { disableDirect: false }, { ...needs, signal }),
    );
    const { latencyMs, path } = await opened.connection.ping(signal);
    return { latency_ms: latencyJson(latencyMs), path: pathJson(path) };
  });
  if (opened === undefined) return;
  const ports = await agentPorts(opened.connection);
  const { readAgentJson } = await import("@slipway/sdk/workspace");
  for (const [name, path, allowance] of [
    ["network.json", "/api/v0/netcheck", agentNetworkFields],
    ["ports.json", "/api/v0/listening-ports", agentPortsFields],
  ] as const) {
    await bundle.addJson(`${folder}/${name}`, allowance, (signal) =>
      readAgentJson(ports, { path, clock: needs.clock, signal }),
    );
  }
}
