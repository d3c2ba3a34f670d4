import { randomUUID } from "node:crypto";

import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import { nilUuid } from "@slipway/api/contract/nil-uuid";
import type { PlannedAgent, ResourceMetadata } from "@slipway/drivers";
import { type AgentDefinition, type ContainerValues, containerValues } from "@slipway/template";

import { timestampMs } from "../../platform/db/timestamp.ts";
import { storableText } from "../../platform/fields/storable-text.ts";
import { agentJson } from "./agent-json.ts";
import { agentScripts, appRow, scriptRow } from "./new-agent-service.ts";
import type { AgentWithParts } from "./queries.ts";

/** Returns an item as clients see it, which is how it is stored. */
export function metadataJson({ key, value, isSensitive }: ResourceMetadata): {
  readonly key: string;
  readonly value: string;
  readonly sensitive: boolean;
} {
  return { key: storableText(key), value: storableText(value), sensitive: isSensitive };
}

/** The place of a planned agent, in a workspace that does not exist yet. */
export interface PlannedPlace {
  readonly resourceId: string;
  readonly createdAt: string;
  readonly workspaceName: string;
  readonly ownerName: string;
}

/** Returns an agent that a template plans, as clients see it: never connected, with ids that exist nowhere else. */
export function plannedAgent(definition: AgentDefinition, place: PlannedPlace): WorkspaceAgent {
  const id = randomUUID();
  const at = place.createdAt;
  const row = {
    id,
    parent_id: null,
    resource_id: place.resourceId,
    name: definition.name,
    architecture: definition.arch,
    operating_system: definition.os,
    environment_variables: definition.env,
    auth_instance_id: definition.identity?.instanceId ?? null,
    directory: definition.directory,
    expanded_directory: "",
    troubleshooting_url: definition.troubleshootingUrl,
    connection_timeout_seconds: definition.connectionTimeoutSeconds,
    display_apps: [...definition.displayApps],
    version: "",
    api_version: "",
    subsystems: [],
    lifecycle_state: "created" as const,
    end_detail: null,
    started_at: null,
    ready_at: null,
    first_connected_at: null,
    last_connected_at: null,
    disconnected_at: null,
    created_at: at,
    updated_at: at,
    logs_length: 0,
    overflowed: false,
    latency: null,
    ...plannedParts(definition, id, at),
  };
  return agentJson(row, { ...place, workspaceId: nilUuid }, timestampMs(at));
}

function plannedParts(
  definition: AgentDefinition,
  id: string,
  createdAt: string,
): Pick<AgentWithParts, "apps" | "scripts" | "log_sources"> {
  const planned = agentScripts(definition);
  const scripts = planned.map(({ script }, position) =>
    scriptRow(script, {
      id: randomUUID(),
      workspace_agent_id: id,
      position,
      log_source_id: randomUUID(),
      exit_code: null,
      status: null,
    }),
  );
  return {
    apps: definition.apps.map((app, position) =>
      appRow(app, { id: randomUUID(), workspace_agent_id: id, position, statuses: [] }),
    ),
    scripts,
    log_sources: scripts.map((script, index) => ({
      workspace_agent_id: id,
      id: script.log_source_id,
      created_at: createdAt,
      display_name: script.display_name,
      icon: planned[index]?.script.icon ?? "",
    })),
  };
}

/** Returns the agents of a template as a driver plans them. `containerOf` reads containers (default: rendered ones). */
export function driverAgents(
  agents: readonly AgentDefinition[],
  containerOf: (agent: AgentDefinition) => ContainerValues | undefined = renderedContainer,
): readonly PlannedAgent[] {
  return agents.map((agent) => ({
    name: agent.name,
    platform: { os: agent.os, arch: agent.arch },
    container: containerOf(agent),
  }));
}

function renderedContainer({ container }: AgentDefinition): ContainerValues | undefined {
  return container && containerValues(container);
}
