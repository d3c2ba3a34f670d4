import type { AgentScript, AgentStatus, WorkspaceAgent } from "@slipway/api/agents/agent";
import type { WorkspaceApp } from "@slipway/api/agents/app";
import type { Containers } from "@slipway/api/agents/container-routes";
import type { AgentMetadata } from "@slipway/api/agents/metadata-routes";
import type { Infer } from "@slipway/api/contract/scalars";
import type { AppPlace } from "@slipway/api/workspaces/app-url";
import { printableLine } from "@slipway/runtime";

import { appColumns } from "../../resources/applications/workspace-apps.ts";
import { latencyText } from "../../resources/network/network-text.ts";
import type { Colors } from "../../terminal/colors.ts";
import type { Layout } from "../../terminal/output.ts";
import { type Cell, renderTable } from "../../terminal/table.ts";

type Section = readonly (readonly Cell[])[];

/** The facts about an agent that it does not contain itself. */
interface AgentContext {
  /** Undefined if its values are unknown. */
  readonly metadata: readonly AgentMetadata[] | undefined;
  /** Undefined if the place of apps is unknown. */
  readonly place: AppPlace | undefined;
  /** None if they are unknown. */
  readonly devcontainers: readonly Devcontainer[];
  /** The time at which it ended, and what to do; undefined if it runs. */
  readonly end: string | undefined;
}

type Devcontainer = Infer<typeof Containers>["devcontainers"][number];

/** Renders an agent with its apps, values and scripts. */
export function agentLines(
  agent: WorkspaceAgent,
  { metadata, place, devcontainers, end }: AgentContext,
  layout: Layout,
): string[] {
  const { colors } = layout;
  const { name, lifecycle_state, version, operating_system, architecture, health } = agent;
  const status = statusStyle(agent.status, colors)(agent.status);
  const system = [version, `${operating_system}/${architecture}`]
    .filter((text) => text !== "")
    .join(", ");
  return [
    `${colors.bold(`Agent ${printableLine(name)}`)}  ${status}, ${lifecycle_state}  ${colors.dim(printableLine(system))}`,
    ...(health.healthy || health.reason === undefined
      ? []
      : [colors.yellow(`  ${printableLine(health.reason)}`)]),
    ...(end === undefined ? [] : [`  ${end}`]),
    ...relayLines(agent),
    ...section(["APP", "HEALTH", "SHARED", "URL"], appRows(agent, place, colors), layout),
    ...section(["APP", "REPORTS", "", ""], statusRows(agent.apps, colors), layout),
    ...section(
      ["DEV CONTAINER", "STATUS", "AGENT", "FOLDER"],
      devcontainers.map((one) => devcontainerRow(one, colors)),
      layout,
    ),
    ...section(
      ["VALUE", ""],
      (metadata ?? []).map((item) => metadataRow(item, colors)),
      layout,
    ),
    ...section(
      ["SCRIPT", "RUNS", "RESULT"],
      agent.scripts.map((script) => scriptRow(script, colors)),
      layout,
    ),
  ];
}

/** Renders the relay that the agent prefers, if it has reported one. */
function relayLines({ latency }: Pick<WorkspaceAgent, "latency">): string[] {
  const home = Object.entries(latency ?? {}).find(([, { preferred }]) => preferred);
  if (home === undefined) return [];
  const [name, { latency_ms }] = home;
  return [`  relay ${printableLine(name)}, ${latencyText(latency_ms)}`];
}

/** Renders an indented table below an empty line; nothing without rows. */
export function section(headings: readonly string[], rows: Section, layout: Layout): string[] {
  if (rows.length === 0) return [];
  const { colors, columns } = layout;
  const inner = { colors, columns: columns === undefined ? undefined : columns - 2 };
  return ["", ...renderTable(headings, rows, inner).map((line) => `  ${line}`)];
}

function appRows(
  { name, apps }: Pick<WorkspaceAgent, "name" | "apps">,
  place: AppPlace | undefined,
  colors: Colors,
): Cell[][] {
  const columns = appColumns(place, colors);
  const shown = apps.filter(({ hidden }) => !hidden).map((app) => ({ agentName: name, app }));
  return shown.map((one) =>
    [columns.app, columns.health, columns.shared, columns.url].map((cell) => cell(one)),
  );
}

/** Renders the latest status of each app that reports one. */
function statusRows(apps: WorkspaceAgent["apps"], colors: Colors): Cell[][] {
  return apps.flatMap(({ slug, statuses: [newest] }) =>
    newest === undefined
      ? []
      : [[slug, appStateCell(newest.state, colors), newest.message, newest.uri]],
  );
}

function devcontainerRow(
  { name, status, dirty, error = "", agent, workspace_folder: folder }: Devcontainer,
  colors: Colors,
): Cell[] {
  const text = [status, dirty ? "configuration changed" : "", error].filter(Boolean).join(", ");
  const style = devcontainerStyle(status, colors);
  return [name, { text, style }, agent?.name ?? "-", folder];
}

function devcontainerStyle(
  status: Devcontainer["status"],
  colors: Colors,
): (text: string) => string {
  switch (status) {
    case "running":
      return colors.green;
    case "error":
      return colors.red;
    case "stopped":
    case "starting":
    case "stopping":
    case "deleting":
      return colors.yellow;
  }
}

function metadataRow({ description, result }: AgentMetadata, colors: Colors): Cell[] {
  const name = description.display_name || description.key;
  if (result.error !== "") return [name, { text: result.error, style: colors.red }];
  return [name, result.value.trim() === "" ? "-" : result.value.trim()];
}

function scriptRow(script: AgentScript, colors: Colors): Cell[] {
  const runs = [
    ...(script.run_on_start ? ["start"] : []),
    ...(script.run_on_stop ? ["stop"] : []),
    ...(script.cron === "" ? [] : [script.cron]),
  ];
  // The script of a dev container comes without times, and runs after the start (docs/protocol/agent.md §8.6).
  const when = runs.length === 0 ? "after start" : runs.join(", ");
  return [script.display_name, when, scriptResult(script, colors)];
}

function scriptResult({ status, exit_code }: AgentScript, colors: Colors): Cell {
  switch (status) {
    case undefined:
      return "-";
    case "ok":
      return { text: "ok", style: colors.green };
    case "exit_failure":
      return { text: `failed with exit code ${exit_code ?? "?"}`, style: colors.red };
    case "timed_out":
      return { text: "timed out", style: colors.red };
    case "pipes_left_open":
      return { text: "left its output open", style: colors.yellow };
    default:
      return status;
  }
}

function statusStyle(status: AgentStatus, colors: Colors): (text: string) => string {
  switch (status) {
    case "connected":
      return colors.green;
    case "connecting":
      return colors.yellow;
    case "disconnected":
    case "timeout":
      return colors.red;
  }
}

type AppState = WorkspaceApp["statuses"][number]["state"];

/** Returns the state that an app reports. */
function appStateCell(state: AppState, colors: Colors): Cell {
  switch (state) {
    case "working":
      return { text: state, style: colors.yellow };
    case "complete":
      return { text: state, style: colors.green };
    case "failure":
      return { text: state, style: colors.red };
    case "idle":
      return state;
  }
}
