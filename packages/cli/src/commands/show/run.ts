import {
  type AgentMetadata,
  listBuildParameters,
  watchAgentMetadata,
  type Workspace,
  type WorkspaceAgent,
} from "@slipway/api";
import { withTimeout } from "@slipway/runtime";
import { type ApiClient, ApiError } from "@slipway/sdk/http";

import { connect } from "../../command/connect.ts";
import type { OptionsOf } from "../../command/definition.ts";
import { CommandError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { printJson } from "../../command/print-json.ts";
import type { AppPlace } from "../../resources/applications/app-url.ts";
import { findRegion, primaryRegion } from "../../resources/applications/find-region.ts";
import { allAgents } from "../../resources/builds/agents.ts";
import { readStartCommand } from "../../resources/builds/external-agent.ts";
import { findWorkspace } from "../../resources/workspaces/workspace-reference.ts";
import { agentLines } from "./agent-lines.ts";
import type { command } from "./command.ts";
import { readFirstEvent } from "./first-event.ts";
import { parameterLines, workspaceLines } from "./workspace-lines.ts";

/** The time limit for the values of an agent, in milliseconds; without them, the rest is shown. */
const metadataTimeoutMs = 3_000;

export async function run(
  { workspace: reference, output }: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const client = connect(settings);
  const workspace = await findWorkspace(client, reference, signal);
  if (output === "json") {
    printJson(terminal.out, workspace);
    return exitCodes.ok;
  }
  const agents = allAgents(workspace.latest_build);
  const metadata = await Promise.all(agents.map((agent) => readMetadata(client, agent, signal)));
  const place = agents.some(({ apps }) => apps.length > 0)
    ? await readPlace(client, workspace, signal)
    : undefined;
  const params = { build: workspace.latest_build.id };
  const values = await client.call(listBuildParameters, { params, signal });
  const { out } = terminal;
  for (const line of workspaceLines(workspace, clock.now(), out)) out.line(line);
  for (const line of parameterLines(values, out)) out.line(line);
  for (const [index, agent] of agents.entries()) {
    out.line("");
    const context = { metadata: metadata[index], place };
    for (const line of agentLines(agent, context, out)) out.line(line);
    const command = isWaiting(workspace, agent)
      ? await readStartCommand(workspace, agent, { client, signal })
      : undefined;
    if (command !== undefined) out.line(`\n  start it with: ${command}`);
  }
  return exitCodes.ok;
}

/** Reads where apps are opened; undefined when the server does not say, or not to this token. */
async function readPlace(
  client: ApiClient,
  workspace: Workspace,
  signal: AbortSignal,
): Promise<AppPlace | undefined> {
  try {
    return { workspace, region: await findRegion(client, primaryRegion, signal) };
  } catch (error) {
    if (error instanceof ApiError || error instanceof CommandError) return undefined;
    throw error;
  }
}

/** Returns whether the agent does not run, and a person has to start it. */
function isWaiting({ latest_build: build }: Workspace, agent: WorkspaceAgent): boolean {
  return build.has_external_agent === true && agent.status !== "connected";
}

/** Reads the newest values; undefined when the server does not provide them. */
async function readMetadata(
  client: ApiClient,
  { id }: WorkspaceAgent,
  signal: AbortSignal,
): Promise<readonly AgentMetadata[] | undefined> {
  const url = client.url(watchAgentMetadata, { params: { agent: id } });
  try {
    const both = withTimeout(signal, metadataTimeoutMs);
    const data = await readFirstEvent(url, client.headers, both);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an answer is taken to follow the contract
    return data === undefined ? undefined : (JSON.parse(data) as AgentMetadata[]);
  } catch {
    // A workspace without its values is still worth showing; an interruption is not lost.
    signal.throwIfAborted();
    return undefined;
  }
}
