import type { AppHealth, SharingLevel } from "@slipway/api/agents/app";
import type { DerpMap } from "@slipway/api/agents/derp-map";
import { encodeUuid } from "@slipway/wire/bytes/uuid";
import type { MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import type {
  ManifestSchema,
  WorkspaceAgentDevcontainerSchema,
  WorkspaceAgentMetadata_DescriptionSchema,
  WorkspaceAgentScriptSchema,
  WorkspaceAppSchema,
} from "@slipway/wire/protobuf/gen/agent_pb";
import {
  WorkspaceApp_Health,
  WorkspaceApp_SharingLevel,
} from "@slipway/wire/protobuf/gen/agent_pb";
import { durationFromMs, metadataDuration } from "@slipway/wire/protobuf/time";
import { sql } from "kysely";
import { jsonArrayFrom, jsonObjectFrom } from "kysely/helpers/postgres";

import type { Database, Queryable } from "../../../platform/db/database.ts";
import { GatheredLookups } from "../../../platform/db/gathered-lookups.ts";
import { prepareQuery } from "../../../platform/db/prepared-query.ts";
import type { AgentCaller } from "../../../platform/http/caller.ts";
import { readEnvironment } from "../agent-json.ts";
import { notLive } from "../calls/rpc-caller.ts";
import { isLiveAgent } from "../live-queries.ts";
import { noteMetadataKeys } from "../metadata/metadata-rpc.ts";
import { type ReadDerpMap, sharedDerpMapMessage } from "./derp-map.ts";

export interface ManifestNeeds {
  /** The inputs of manifests, by the agent's id. */
  readonly manifests: GatheredLookups<ManifestRow>;
  readonly readDerpMap: ReadDerpMap;
  /** The number of providers of Git tokens: with none, the agent leaves the settings of editors alone. */
  readonly gitAuthConfigs: number;
}

/** Returns the manifest of the agent (docs/protocol/rpc.md §7.1). Agents read it at each connection. */
export async function getManifest(
  { manifests, readDerpMap, gitAuthConfigs }: ManifestNeeds,
  caller: { readonly agent: Pick<AgentCaller, "agentId"> },
): Promise<MessageInitShape<typeof ManifestSchema>> {
  const row = await manifests.look(caller.agent.agentId);
  if (row === undefined) throw notLive();
  noteMetadataKeys(
    caller,
    row.metadata.map(({ key }) => key),
  );
  return { ...manifestOf(row, readDerpMap()), gitAuthConfigs };
}

/** Gathers the lookups of all agents into shared statements. */
export function gatherManifests(db: Database): GatheredLookups<ManifestRow> {
  return new GatheredLookups((agentIds) => selectManifests(db, agentIds));
}

/** Converts the row of an agent to its manifest. */
export function manifestOf(
  agent: ManifestRow,
  derpMap: DerpMap,
): MessageInitShape<typeof ManifestSchema> {
  return {
    agentId: encodeUuid(agent.id),
    agentName: agent.name,
    ownerUsername: agent.owner_name,
    workspaceId: encodeUuid(agent.workspace_id),
    workspaceName: agent.workspace_name,
    // Its mere presence disables the support for dev containers.
    ...(agent.parent_id === null ? {} : { parentId: encodeUuid(agent.parent_id) }),
    environmentVariables: readEnvironment(agent.environment_variables),
    directory: agent.directory,
    motdPath: agent.motd_file,
    derpMap: sharedDerpMapMessage(derpMap),
    scripts: agent.scripts.map(scriptOf),
    apps: agent.apps.map(appOf),
    metadata: agent.metadata.map(metadataOf),
    devcontainers: agent.scripts.flatMap(devcontainersOf),
  };
}

function scriptOf(row: ManifestScriptRow): MessageInitShape<typeof WorkspaceAgentScriptSchema> {
  return {
    id: encodeUuid(row.id),
    logSourceId: encodeUuid(row.log_source_id),
    logPath: row.log_path,
    script: row.script,
    cron: row.cron,
    runOnStart: row.run_on_start,
    runOnStop: row.run_on_stop,
    startBlocksLogin: row.start_blocks_login,
    timeout: durationFromMs(row.timeout_seconds * 1000),
    displayName: row.display_name,
  };
}

/** Returns the dev container whose creation the script stands for: they share an id (docs/protocol/agent.md §8.6). */
function devcontainersOf({
  id,
  devcontainer,
}: ManifestScriptRow): readonly MessageInitShape<typeof WorkspaceAgentDevcontainerSchema>[] {
  if (devcontainer === null) return [];
  const { name, workspace_folder: workspaceFolder, config_path: configPath } = devcontainer;
  return [{ id: encodeUuid(id), name, workspaceFolder, configPath }];
}

// 0 is left out: a level or health of 0 makes a stock agent reject the whole manifest.
const healths: Readonly<Record<AppHealth, WorkspaceApp_Health>> = {
  disabled: WorkspaceApp_Health.DISABLED,
  initializing: WorkspaceApp_Health.INITIALIZING,
  healthy: WorkspaceApp_Health.HEALTHY,
  unhealthy: WorkspaceApp_Health.UNHEALTHY,
};
const sharingLevels: Readonly<Record<SharingLevel, WorkspaceApp_SharingLevel>> = {
  owner: WorkspaceApp_SharingLevel.OWNER,
  authenticated: WorkspaceApp_SharingLevel.AUTHENTICATED,
  organization: WorkspaceApp_SharingLevel.ORGANIZATION,
  public: WorkspaceApp_SharingLevel.PUBLIC,
};

function appOf(row: ManifestAppRow): MessageInitShape<typeof WorkspaceAppSchema> {
  return {
    id: encodeUuid(row.id),
    url: row.url,
    external: row.external,
    slug: row.slug,
    displayName: row.display_name,
    command: row.command,
    icon: row.icon,
    subdomain: row.subdomain,
    sharingLevel: sharingLevels[row.sharing_level],
    healthcheck: {
      url: row.healthcheck_url,
      interval: durationFromMs(row.healthcheck_interval_seconds * 1000),
      threshold: row.healthcheck_threshold,
    },
    health: healths[row.health],
    hidden: row.hidden,
  };
}

function metadataOf(
  row: ManifestMetadataRow,
): MessageInitShape<typeof WorkspaceAgentMetadata_DescriptionSchema> {
  return {
    key: row.key,
    displayName: row.display_name,
    script: row.script,
    interval: metadataDuration(row.interval_seconds),
    timeout: metadataDuration(row.timeout_seconds),
  };
}

const manifests = prepareQuery((db, agentIds: readonly string[]) =>
  db
    .selectFrom("workspace_agents as agent")
    .innerJoin("workspace_builds as build", "build.id", "agent.workspace_build_id")
    .innerJoin("workspaces as workspace", "workspace.id", "build.workspace_id")
    .innerJoin("users as owner", "owner.id", "build.owner_id")
    .where("agent.id", "=", sql<string>`any(${agentIds}::uuid[])`)
    .where(isLiveAgent(sql.ref("agent.id")))
    .select([
      "agent.id",
      "agent.parent_id",
      "agent.name",
      "agent.environment_variables",
      "agent.directory",
      "agent.motd_file",
      "workspace.id as workspace_id",
      "workspace.name as workspace_name",
      "owner.username as owner_name",
    ])
    .select((agent) => [
      jsonArrayFrom(
        agent
          .selectFrom("workspace_agent_scripts as script")
          .whereRef("script.workspace_agent_id", "=", "agent.id")
          .orderBy("script.position")
          .select([
            "script.id",
            "script.log_source_id",
            "script.log_path",
            "script.script",
            "script.cron",
            "script.run_on_start",
            "script.run_on_stop",
            "script.start_blocks_login",
            "script.timeout_seconds",
            "script.display_name",
          ])
          .select((script) =>
            jsonObjectFrom(
              script
                .selectFrom("workspace_agent_devcontainers")
                .whereRef("script_id", "=", "script.id")
                .select(["name", "workspace_folder", "config_path"]),
            ).as("devcontainer"),
          ),
      ).as("scripts"),
      jsonArrayFrom(
        agent
          .selectFrom("workspace_apps as app")
          .whereRef("app.workspace_agent_id", "=", "agent.id")
          .orderBy("app.slug")
          .select([
            "app.id",
            "app.url",
            "app.external",
            "app.slug",
            "app.display_name",
            "app.command",
            "app.icon",
            "app.subdomain",
            "app.sharing_level",
            "app.healthcheck_url",
            "app.healthcheck_interval_seconds",
            "app.healthcheck_threshold",
            "app.health",
            "app.hidden",
          ]),
      ).as("apps"),
      jsonArrayFrom(
        agent
          .selectFrom("workspace_agent_metadata as item")
          .whereRef("item.workspace_agent_id", "=", "agent.id")
          .orderBy("item.position")
          .orderBy("item.key")
          .select([
            "item.key",
            "item.display_name",
            "item.script",
            "item.interval_seconds",
            "item.timeout_seconds",
          ]),
      ).as("metadata"),
    ]),
);

/**
 * Selects the inputs of live agents' manifests by the agent's id. The workspace's name and owner are those of the
 * build: until a claim is done, the previous ones.
 */
export async function selectManifests(
  db: Queryable,
  agentIds: readonly string[],
): Promise<ReadonlyMap<string, ManifestRow>> {
  return new Map((await manifests(db, agentIds)).map((row) => [row.id, row]));
}

export type ManifestRow = Awaited<ReturnType<typeof manifests>>[number];
type ManifestScriptRow = ManifestRow["scripts"][number];
type ManifestAppRow = ManifestRow["apps"][number];
type ManifestMetadataRow = ManifestRow["metadata"][number];
