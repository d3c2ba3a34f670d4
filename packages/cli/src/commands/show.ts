import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import { type Containers, getContainers } from "@slipway/api/agents/container-routes";
import { type AgentMetadata, watchAgentMetadata } from "@slipway/api/agents/metadata-routes";
import type { BuildParameter } from "@slipway/api/builds/build";
import { listBuildParameters } from "@slipway/api/builds/routes";
import type { Infer } from "@slipway/api/contract/scalars";
import { type AppPlace, primaryRegion } from "@slipway/api/workspaces/app-url";
import { cronText } from "@slipway/api/workspaces/cron-text";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { durationText, printableLine, withTimeout } from "@slipway/runtime";
import { type ApiClient, ApiError } from "@slipway/sdk/http";

import { connect } from "../command/connect.ts";
import { defineCommand, type OptionsOf } from "../command/definition.ts";
import { CommandError } from "../command/errors.ts";
import { exitCodes } from "../command/exit-codes.ts";
import { outputFlag } from "../command/flags.ts";
import type { Needs } from "../command/needs.ts";
import { printJson } from "../command/print-result.ts";
import { findRegion } from "../resources/applications/find-region.ts";
import { allAgents, isStartedByPerson, readStartCommand } from "../resources/builds/agents.ts";
import { withoutHidden } from "../resources/templates/hidden-values.ts";
import { statusCell } from "../resources/workspaces/workspace-list.ts";
import {
  findWorkspace,
  fullName,
  workspaceArgument,
} from "../resources/workspaces/workspace-reference.ts";
import type { Layout } from "../terminal/output.ts";
import { clockTime, relativeTime } from "../terminal/relative-time.ts";
import { renderPairs } from "../terminal/table.ts";
import { agentLines, section } from "./show/agent-lines.ts";
import { readFirstEvent } from "./show/first-event.ts";

export const command = defineCommand({
  summary: "show a workspace: schedule, parameters, agents, apps and scripts",
  arguments: { workspace: workspaceArgument },
  flags: {
    output: outputFlag,
    details: { kind: "switch", summary: "no effect: details are always shown", hidden: true },
  },
  examples: [
    { line: "slipway show demo", summary: "your own workspace" },
    { line: "slipway show ada/demo -o json", summary: "another user's, as JSON" },
  ],
});

/** The timeout for the values of an agent, in milliseconds; without them, the rest is shown. */
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
  const devcontainers = await Promise.all(
    agents.map((agent) => readDevcontainers(client, agent, signal)),
  );
  const place = agents.some(({ apps }) => apps.length > 0)
    ? await readPlace(client, workspace, signal)
    : undefined;
  const { id: build, template_version_id: version } = workspace.latest_build;
  const stored = await client.call(listBuildParameters, { params: { build }, signal });
  const values = await withoutHidden(version, stored, { client, signal });
  const { out } = terminal;
  for (const line of workspaceLines(workspace, clock.now(), out)) out.line(line);
  for (const line of parameterLines(values, out)) out.line(line);
  for (const [index, agent] of agents.entries()) {
    out.line("");
    const context = {
      metadata: metadata[index],
      place,
      devcontainers: devcontainers[index] ?? [],
      end: endText(workspace, agent, clock.now()),
    };
    for (const line of agentLines(agent, context, out)) out.line(line);
    const startCommand = isStartedByPerson(workspace.latest_build, agent)
      ? await readStartCommand(workspace, agent, { client, signal })
      : undefined;
    if (startCommand !== undefined) out.line(`\n  start it with: ${startCommand}`);
  }
  return exitCodes.ok;
}

/** Reads where apps are opened; undefined if the server does not provide it, or not to this token. */
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

/** Returns when an agent of a running workspace ended, and what to do; undefined for any other. */
export function endText(
  workspace: Workspace,
  {
    status,
    lifecycle_state: lifecycle,
    disconnected_at: endedAt,
    parent_id: parent,
  }: WorkspaceAgent,
  now: number,
): string | undefined {
  const { latest_build: build } = workspace;
  const isEnded = build.status === "running" && lifecycle === "off" && status === "disconnected";
  if (!isEnded || parent !== null || endedAt === undefined) return undefined;
  const when = relativeTime(Date.parse(endedAt), now);
  return `ended ${when}; start it again with: slipway restart ${printableLine(fullName(workspace))}`;
}

/** Reads the latest values; undefined if the server does not provide them. */
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
    // A workspace without its values is still worth showing; an interruption must not get lost.
    signal.throwIfAborted();
    return undefined;
  }
}

/** The time for an agent to list its containers, in milliseconds. */
const containersTimeoutMs = 5_000;

/** Reads the dev containers beside an agent; none if it lists none, for whatever reason. */
async function readDevcontainers(
  client: ApiClient,
  { id, status, parent_id: parentId }: WorkspaceAgent,
  signal: AbortSignal,
): Promise<Infer<typeof Containers>["devcontainers"]> {
  if (status !== "connected" || parentId !== null) return [];
  const both = withTimeout(signal, containersTimeoutMs);
  try {
    const request = { params: { agent: id }, query: {}, signal: both };
    return (await client.call(getContainers, request)).devcontainers;
  } catch {
    // Most agents have no containers, or no engine; the rest of the workspace is worth showing.
    signal.throwIfAborted();
    return [];
  }
}

/** Renders a workspace and its latest build. `now` is in milliseconds since the epoch. */
export function workspaceLines(workspace: Workspace, now: number, layout: Layout): string[] {
  const { colors } = layout;
  const { latest_build: build, template_name, outdated } = workspace;
  const { text, style } = statusCell(build.status, colors);
  const started = relativeTime(Date.parse(build.created_at), now);
  const error = build.job.error ?? "";
  return [
    `${colors.bold(printableLine(fullName(workspace)))}  ${style(text)}`,
    ...renderPairs(
      [
        ["Id", workspace.id],
        [
          "Template",
          `${template_name}, version ${build.template_version_name}${outdated ? " (outdated)" : ""}`,
        ],
        [
          "Build",
          `${build.build_number}: ${build.transition} by ${build.initiator_name}, ${started}`,
        ],
        ...(error === "" ? [] : [["Error", error] as const]),
        ...dormancyOf(workspace, now),
        ...scheduleOf(workspace, now),
      ],
      layout,
    ),
  ];
}

/** Renders the time since which the workspace is dormant, and the time of its deletion. */
function dormancyOf(
  { dormant_at, deleting_at }: Workspace,
  now: number,
): (readonly [string, string])[] {
  if (dormant_at === null) return [];
  const since = ["Dormant", `since ${clockTime(Date.parse(dormant_at))}`] as const;
  if (deleting_at === null) return [since];
  const at = Date.parse(deleting_at);
  const deletion = `${clockTime(at)}, ${relativeTime(at, now)}, unless it is started`;
  return [since, ["Deletion", deletion]];
}

/** Renders the automatic start and stop, if any. */
function scheduleOf(
  { autostart_schedule, next_start_at, ttl_ms, on_deadline, latest_build }: Workspace,
  now: number,
): (readonly [string, string])[] {
  const when = (time: string | null): string =>
    time === null ? "" : `, next ${relativeTime(Date.parse(time), now)}`;
  const { deadline } = latest_build;
  const isRunning = latest_build.status === "running";
  return [
    ...(autostart_schedule === null
      ? []
      : [["Starts", `${cronText(autostart_schedule)}${when(next_start_at)}`] as const]),
    ...(ttl_ms === null
      ? []
      : [
          [
            on_deadline === "delete" ? "Deletion" : "Stops",
            `${durationText(ttl_ms)} after a start${isRunning ? when(deadline) : ""}`,
          ] as const,
        ]),
    ...(ttl_ms === null && isRunning && deadline !== null
      ? [["Stops", relativeTime(Date.parse(deadline), now)] as const]
      : []),
  ];
}

/** Renders the values of the template's parameters in the latest build. */
export function parameterLines(values: readonly BuildParameter[], layout: Layout): string[] {
  const rows = values.map(({ name, value }) => [name, value]);
  return section(["PARAMETER", "VALUE"], rows, layout);
}
