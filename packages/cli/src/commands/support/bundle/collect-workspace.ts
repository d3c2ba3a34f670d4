import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import { listConnectionLogs } from "@slipway/api/agents/connection-log-routes";
import { getContainers } from "@slipway/api/agents/container-routes";
import { getAgentLogs } from "@slipway/api/agents/log-routes";
import type { BuildParameter, WorkspaceBuild } from "@slipway/api/builds/build";
import { getBuildLogs, listBuildParameters } from "@slipway/api/builds/routes";
import { getTemplateVersion } from "@slipway/api/templates/version-routes";
import { listBuilds } from "@slipway/api/workspaces/build-routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { type ApiClient, ApiError } from "@slipway/sdk/http";

import type { ClientNeeds } from "../../../command/needs.ts";
import { searchText } from "../../../command/search-pages.ts";
import { allAgents, logSource } from "../../../resources/builds/agents.ts";
import { linesOf } from "../../../resources/builds/log-text.ts";
import { agentPorts } from "../../../resources/network/agent-ports.ts";
import { latencyJson, pathJson } from "../../../resources/network/network-text.ts";
import { type OpenedAgent, openMeasuredAgent } from "../../../resources/network/reach-agent.ts";
import { list } from "./allowed-fields.ts";
import {
  agentNetworkFields,
  agentPathFields,
  agentPortsFields,
  buildFields,
  connectionsFields,
  containersFields,
  parameterFields,
  templateVersionFields,
  workspaceFields,
} from "./bundle-fields.ts";
import type { Bundle } from "./bundle.ts";
import { secretHider, suspectedSecrets } from "./secret-text.ts";

/** The number of latest builds and connections in a bundle. */
const maxBuilds = 5;
const maxConnections = 100;

type CollectNeeds = Pick<ClientNeeds, "client">;

/** A workspace, the agents whose logs are included, and the secrets to remove from every part. */
interface CollectedWorkspace {
  readonly workspace: Workspace;
  readonly agents: readonly WorkspaceAgent[];
  readonly secrets: readonly string[];
}

/** Collects the server's data about a workspace, with the logs of its latest builds and of these agents. */
export async function collectWorkspace(
  bundle: Bundle,
  { workspace, agents, secrets }: CollectedWorkspace,
  { client }: CollectNeeds,
): Promise<void> {
  const params = { workspace: workspace.id };
  const builds = await bundle.read("workspace/builds.json", async (signal) =>
    (await client.call(listBuilds, { params, signal })).slice(0, maxBuilds),
  );
  // Scripts may have printed values of parameters, and errors may quote them.
  const values = await bundle.read("workspace/parameters.json", async (signal) => {
    const read = (build: string): Promise<BuildParameter[]> =>
      client.call(listBuildParameters, { params: { build }, signal });
    return (await Promise.all((builds ?? []).map(async ({ id }) => read(id)))).flat();
  });
  if (builds === undefined || values === undefined) {
    const problem = "left out: the secrets that would have to be removed are unknown";
    return bundle.miss("workspace/*", problem);
  }
  bundle.hideWith(secretHider([...secrets, ...secretsOf(builds, values)]));
  await Promise.all([
    bundle.addJson("workspace/workspace.json", workspaceFields, async () => workspace),
    bundle.addJson("workspace/builds.json", list(buildFields), async () => builds),
    bundle.addJson("workspace/parameters.json", parameterFields, async () => values),
    collectTemplateVersion(bundle, workspace, { client }),
    collectConnections(bundle, workspace, { client }),
    ...builds.map(async (build) => collectBuildLog(bundle, build, { client })),
    ...agents.map(async (agent) => collectAgentLog(bundle, agent, { client })),
  ]);
}

/** Returns the secrets of a workspace that its programs may have printed. */
function secretsOf(
  builds: readonly WorkspaceBuild[],
  parameters: readonly BuildParameter[],
): string[] {
  const variables = builds
    .flatMap((build) => allAgents(build))
    .flatMap(({ environment_variables }) => Object.entries(environment_variables))
    .map(([name, value]) => ({ name, value }));
  const metadata = builds.flatMap(({ resources }) => resources.flatMap((each) => each.metadata));
  return [
    ...suspectedSecrets([...variables, ...parameters]),
    ...metadata.filter(({ sensitive }) => sensitive).map(({ value }) => value),
  ];
}

async function collectTemplateVersion(
  bundle: Bundle,
  { latest_build: { template_version_id: version } }: Workspace,
  { client }: CollectNeeds,
): Promise<void> {
  await bundle.addJson("workspace/template-version.json", templateVersionFields, (signal) =>
    client.call(getTemplateVersion, { params: { version }, signal }),
  );
}

async function collectConnections(
  bundle: Bundle,
  { owner_name, name }: Workspace,
  { client }: CollectNeeds,
): Promise<void> {
  const q = searchText({ workspace_owner: owner_name, workspace: name }, undefined);
  const query = { q, limit: String(maxConnections) };
  await bundle.addJson(
    "workspace/connections.json",
    connectionsFields,
    async (signal) => (await client.call(listConnectionLogs, { query, signal })).connection_logs,
  );
}

async function collectBuildLog(
  bundle: Bundle,
  build: WorkspaceBuild,
  { client }: CollectNeeds,
): Promise<void> {
  await bundle.addLog(`workspace/builds/${build.build_number}.log`, async (signal) => {
    const entries = await client.call(getBuildLogs, { params: { build: build.id }, signal });
    return entries.flatMap((entry) => {
      const texts = entry.output === "" ? [entry.stage] : linesOf(entry);
      return texts.map((text) => `${entry.created_at} ${entry.log_level} ${text}`);
    });
  });
}

async function collectAgentLog(
  bundle: Bundle,
  agent: WorkspaceAgent,
  { client }: CollectNeeds,
): Promise<void> {
  await bundle.addLog(`${agentFolder(agent)}/agent.log`, async (signal) => {
    const entries = await client.call(getAgentLogs, { params: { agent: agent.id }, signal });
    return entries.flatMap((entry) => {
      const start = `${entry.created_at} ${entry.level} [${logSource(agent, entry)}]`;
      return linesOf(entry).map((text) => `${start} ${text}`);
    });
  });
}

/** Returns the folder of an agent in a bundle; names come from a template. */
function agentFolder({ name }: Pick<WorkspaceAgent, "name">): string {
  return `workspace/agents/${name.replaceAll(/[^\w-]/g, "_").slice(0, 64)}`;
}

/** Collects an agent's own reports over the network; does not start a stopped workspace. */
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
  await bundle.addJson(`${folder}/containers.json`, containersFields, (signal) =>
    readContainers(needs.client, agent, signal),
  );
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

/** Reads the containers beside an agent; if they are turned off, which is not a fault, the reason is a warning. */
async function readContainers(
  client: ApiClient,
  { id: agent }: Pick<WorkspaceAgent, "id">,
  signal: AbortSignal,
): Promise<unknown> {
  try {
    return await client.call(getContainers, { params: { agent }, query: {}, signal });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 403) throw error;
    return { containers: [], devcontainers: [], warnings: [error.message] };
  }
}
