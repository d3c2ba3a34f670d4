import { randomUUID } from "node:crypto";

import type {
  AgentDefinition,
  AppDefinition,
  DevContainerDefinition,
  ScriptDefinition,
} from "@slipway/template";

import {
  createAgentToken,
  hashAgentToken,
  keepAgentToken,
  type KeptAgentToken,
  openKnownToken,
} from "../../platform/auth/agent-token.ts";
import type { SecretBox } from "../../platform/auth/secret-box.ts";
import type { NewRows } from "../../platform/db/insert-rows.ts";
import type { OrphanProcess } from "./orphan-service.ts";
import type { AppRow, ScriptRow } from "./queries.ts";

/** One agent of a build, with every text rendered, and the process that it takes over, if any. */
interface NewAgent {
  readonly resourceId: string;
  readonly buildId: string;
  readonly definition: AgentDefinition;
  readonly process: OrphanProcess | undefined;
  /** The token that its driver has given it already; undefined if the server chooses one. */
  readonly token: string | undefined;
}

/**
 * Returns the rows of new agents with their scripts, log sources, metadata and apps. Agents that take over no process get
 * the token of their driver or a new one, and so do those whose token the driver needs but that cannot be decrypted.
 */
export function newAgentRows(secrets: SecretBox, agents: readonly NewAgent[]): readonly NewRows[] {
  const created = agents.map((agent) => ({ agent, id: randomUUID() }));
  const scripts = created.flatMap(({ agent, id }) => scriptsOf(id, agent.definition));
  return [
    {
      table: "workspace_agents",
      rows: created.map(({ agent, id }) => agentRow(secrets, id, agent)),
    },
    {
      table: "workspace_agent_log_positions",
      rows: created.map(({ id }) => ({ workspace_agent_id: id })),
    },
    { table: "workspace_agent_log_sources", rows: scripts.map(({ source }) => source) },
    { table: "workspace_agent_scripts", rows: scripts.map(({ row }) => row) },
    {
      table: "workspace_agent_devcontainers",
      rows: scripts.flatMap(({ row, devContainer }) =>
        devContainer === undefined ? [] : [devContainerRow(row.id, devContainer)],
      ),
    },
    {
      table: "workspace_agent_metadata",
      rows: created.flatMap(({ agent, id }) => metadataOf(id, agent.definition)),
    },
    {
      table: "workspace_apps",
      rows: created.flatMap(({ agent, id }) =>
        agent.definition.apps.map((app) =>
          appRow(app, { workspace_agent_id: id, position: app.order }),
        ),
      ),
    },
  ];
}

function agentRow(
  secrets: SecretBox,
  id: string,
  { resourceId, buildId, definition, process, token: given }: NewAgent,
) {
  const left = process !== undefined && continues(process, given) ? process : undefined;
  const isKept = left !== undefined && isUsable(secrets, left);
  const token = isKept ? left.token : newToken(secrets, given);
  return {
    id,
    resource_id: resourceId,
    workspace_build_id: buildId,
    name: definition.name,
    auth_token_hash: token.hash,
    auth_token_encrypted: token.sealed,
    took_over: left?.isOwedReinit ?? false,
    clock_ahead_ms: left?.clockAheadMs ?? null,
    architecture: definition.arch,
    operating_system: definition.os,
    environment_variables: definition.env,
    directory: definition.directory,
    motd_file: definition.motdFile,
    troubleshooting_url: definition.troubleshootingUrl,
    connection_timeout_seconds: definition.connectionTimeoutSeconds,
    display_apps: [...definition.displayApps],
    resource_monitors: definition.monitoring ?? {},
    auth: definition.identity?.auth ?? ("token" as const),
    auth_instance_id: definition.identity?.instanceId ?? null,
  };
}

/** Returns whether a process continues: its driver may have started a new one with another token. */
function continues({ token: { hash } }: OrphanProcess, given: string | undefined): boolean {
  return given === undefined || hashAgentToken(given).equals(hash);
}

function newToken(secrets: SecretBox, given: string | undefined): KeptAgentToken {
  return given === undefined ? createAgentToken(secrets) : keepAgentToken(secrets, given);
}

/** Returns whether the token of a process can be kept: a process that is owed a reinit uses it without its driver. */
function isUsable(secrets: SecretBox, { token, isOwedReinit }: OrphanProcess): boolean {
  return isOwedReinit || openKnownToken(secrets, token.sealed) !== undefined;
}

/** Returns the scripts of an agent, each with the source of its log, and with the dev container that it stands for. */
function scriptsOf(agentId: string, definition: AgentDefinition) {
  return agentScripts(definition).map(({ script, devContainer }, position) => {
    const sourceId = randomUUID();
    return {
      devContainer,
      source: {
        workspace_agent_id: agentId,
        id: sourceId,
        display_name: scriptName(script),
        icon: script.icon,
      },
      row: scriptRow(script, {
        id: randomUUID(),
        workspace_agent_id: agentId,
        position,
        log_source_id: sourceId,
      }),
    };
  });
}

interface AgentScript {
  readonly script: ScriptDefinition;
  readonly devContainer: DevContainerDefinition | undefined;
}

/**
 * Returns the scripts of an agent, and those that stand for its dev containers: nothing runs them, but they have a log and a
 * result (docs/protocol/agent.md §8.6).
 */
export function agentScripts({
  scripts,
  devContainers = [],
}: Pick<AgentDefinition, "scripts" | "devContainers">): readonly AgentScript[] {
  return [
    ...scripts.map((script) => ({ script, devContainer: undefined })),
    ...devContainers.map((devContainer) => ({
      script: devContainerScript(devContainer),
      devContainer,
    })),
  ];
}

function devContainerScript({ name }: DevContainerDefinition): ScriptDefinition {
  return {
    key: name,
    displayName: `Dev Container (${name})`,
    icon: "/emojis/1f4e6.png",
    runOnStart: false,
    runOnStop: false,
    cron: "",
    blocksLogin: false,
    timeoutSeconds: 0,
    run: "",
    logPath: "",
  };
}

function devContainerRow(
  scriptId: string,
  { name, workspaceFolder, configPath }: DevContainerDefinition,
) {
  return {
    script_id: scriptId,
    name,
    workspace_folder: workspaceFolder,
    config_path: configPath,
  };
}

function metadataOf(agentId: string, { metadata }: AgentDefinition) {
  return metadata.map((item) => ({
    workspace_agent_id: agentId,
    key: item.key,
    position: item.order,
    display_name: item.displayName,
    script: item.run,
    interval_seconds: item.intervalSeconds,
    timeout_seconds: item.timeoutSeconds,
  }));
}

/** The columns that the template sets. */
type ScriptColumns = Omit<
  ScriptRow,
  "id" | "workspace_agent_id" | "position" | "log_source_id" | "exit_code" | "status"
>;
type AppColumns = Omit<AppRow, "id" | "workspace_agent_id" | "position" | "statuses">;

/** Returns a script as a row: the template's columns and those of `place`. */
export function scriptRow<P extends object>(script: ScriptDefinition, place: P): P & ScriptColumns {
  return {
    ...place,
    log_path: script.logPath,
    script: script.run,
    cron: script.cron,
    run_on_start: script.runOnStart,
    run_on_stop: script.runOnStop,
    start_blocks_login: script.blocksLogin,
    timeout_seconds: script.timeoutSeconds,
    display_name: scriptName(script),
  };
}

/** Returns the display name of a script and of its log source. */
function scriptName(script: ScriptDefinition): string {
  return script.displayName === "" ? script.key : script.displayName;
}

/** Returns an app as a row: the template's columns and those of `place`. */
export function appRow<P extends object>(app: AppDefinition, place: P): P & AppColumns {
  return {
    ...place,
    slug: app.slug,
    display_name: app.displayName,
    url: app.url,
    command: app.command,
    icon: app.icon,
    external: app.isExternal,
    subdomain: app.isSubdomain,
    sharing_level: app.share,
    healthcheck_url: app.health?.url ?? "",
    healthcheck_interval_seconds: app.health?.intervalSeconds ?? 0,
    healthcheck_threshold: app.health?.threshold ?? 0,
    health: app.health === undefined ? "disabled" : "initializing",
    app_group: app.group,
    hidden: app.isHidden,
    open_in: app.openIn,
    tooltip: app.tooltip,
  };
}
