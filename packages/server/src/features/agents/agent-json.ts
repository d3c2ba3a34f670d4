import type { AgentScript, WorkspaceAgent } from "@slipway/api/agents/agent";
import type { WorkspaceApp } from "@slipway/api/agents/app";

import { agentHealth, agentStatus } from "./agent-status.ts";
import type { AgentWithParts, AppRow, ScriptRow } from "./queries.ts";

/** The workspace that an agent belongs to, and its owner. */
export interface AgentWorkspace {
  readonly workspaceId: string;
  readonly workspaceName: string;
  readonly ownerName: string;
}

const nanosecondsPerSecond = 1e9;

/** Returns an agent as clients see it at `now` (docs/protocol/rest.md §6.1). Constraints keep enumerations valid. */
export function agentJson(row: AgentWithParts, place: AgentWorkspace, now: number): WorkspaceAgent {
  const { status, disconnectedAt } = agentStatus(row, now);
  const lifecycle = row.lifecycle_state;
  const blocks = row.scripts.some((script) => script.run_on_start && script.start_blocks_login);
  return {
    id: row.id,
    parent_id: row.parent_id,
    created_at: row.created_at,
    updated_at: row.updated_at,
    ...whenSet("first_connected_at", row.first_connected_at),
    ...whenSet("last_connected_at", row.last_connected_at),
    ...whenSet("disconnected_at", disconnectedAt),
    ...whenSet("started_at", row.started_at),
    ...whenSet("ready_at", row.ready_at),
    status,
    lifecycle_state: lifecycle,
    name: row.name,
    resource_id: row.resource_id,
    ...whenSet("instance_id", row.auth_instance_id),
    architecture: row.architecture,
    environment_variables: readEnvironment(row.environment_variables),
    operating_system: row.operating_system,
    logs_length: row.logs_length ?? 0,
    logs_overflowed: row.overflowed ?? false,
    // A replica that died leaves the nodes of its agents in the tables for a while.
    ...(status === "connected" && row.latency !== null ? { latency: row.latency } : {}),
    ...whenSet("directory", row.directory),
    ...whenSet("expanded_directory", row.expanded_directory),
    version: row.version,
    api_version: row.api_version,
    apps: row.apps.map((app) => appJson(app, row, place)),
    connection_timeout_seconds: row.connection_timeout_seconds,
    troubleshooting_url: row.troubleshooting_url,
    subsystems: row.subsystems,
    health: agentHealth(status, lifecycle, row.end_detail),
    display_apps: row.display_apps,
    log_sources: [...row.log_sources],
    scripts: row.scripts.map(scriptJson),
    startup_script_behavior: blocks ? "blocking" : "non-blocking",
  };
}

/** Reads a column of JSON objects whose values are strings. */
export function readEnvironment(json: unknown): Record<string, string> {
  if (typeof json !== "object" || json === null) return {};
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, String(value)]));
}

function whenSet<K extends string>(key: K, value: string | null): { readonly [P in K]?: string } {
  if (value === null || value === "") return {};
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a computed key widens to string
  return { [key]: value } as { readonly [P in K]?: string };
}

function scriptJson(row: ScriptRow): AgentScript {
  return {
    id: row.id,
    log_source_id: row.log_source_id,
    log_path: row.log_path,
    script: row.script,
    cron: row.cron,
    run_on_start: row.run_on_start,
    run_on_stop: row.run_on_stop,
    start_blocks_login: row.start_blocks_login,
    timeout: row.timeout_seconds * nanosecondsPerSecond,
    display_name: row.display_name,
    ...(row.exit_code === null ? {} : { exit_code: row.exit_code }),
    ...(row.status === null ? {} : { status: row.status }),
  };
}

function appJson(row: AppRow, agent: AgentWithParts, place: AgentWorkspace): WorkspaceApp {
  return {
    id: row.id,
    ...whenSet("url", row.url),
    external: row.external,
    slug: row.slug,
    ...whenSet("display_name", row.display_name),
    ...whenSet("command", row.command),
    ...whenSet("icon", row.icon),
    subdomain: row.subdomain,
    // An agent of a version has no workspace.
    ...whenSet(
      "subdomain_name",
      row.subdomain && place.workspaceName !== "" ? subdomainName(row.slug, agent.name, place) : "",
    ),
    sharing_level: row.sharing_level,
    healthcheck: {
      url: row.healthcheck_url,
      interval: row.healthcheck_interval_seconds,
      threshold: row.healthcheck_threshold,
    },
    health: row.health,
    ...whenSet("group", row.app_group),
    hidden: row.hidden,
    open_in: row.open_in,
    ...whenSet("tooltip", row.tooltip),
    statuses: row.statuses.map((status) => statusJson(status, row, place)),
  };
}

/** Returns a status as clients see it. The last two fields are constant (docs/protocol/rest.md §6.1). */
function statusJson(
  row: AppRow["statuses"][number],
  app: AppRow,
  place: AgentWorkspace,
): WorkspaceApp["statuses"][number] {
  return {
    id: row.id,
    created_at: row.created_at,
    workspace_id: place.workspaceId,
    agent_id: app.workspace_agent_id,
    app_id: app.id,
    state: row.state,
    message: row.message,
    uri: row.uri,
    needs_user_attention: false,
    icon: "",
  };
}

/**
 * Returns the name of an app's subdomain. A slug that looks like a port includes the agent's name, to differ from a
 * forwarded port.
 */
export function subdomainName(
  slug: string,
  agentName: string,
  place: Omit<AgentWorkspace, "workspaceId">,
): string {
  const middle = /^\d{4,5}s?$/.test(slug) ? [agentName] : [];
  return [slug, ...middle, place.workspaceName, place.ownerName].join("--");
}
