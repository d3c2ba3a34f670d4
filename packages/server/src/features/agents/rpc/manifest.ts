import type { AppHealth, DerpMap, SharingLevel } from "@slipway/api";
import { derpMapMessage } from "@slipway/tailnet";
import {
  durationFromMs,
  encodeUuid,
  type ManifestSchema,
  type MessageInitShape,
  metadataDuration,
  type WorkspaceAgentMetadata_DescriptionSchema,
  type WorkspaceAgentScriptSchema,
  WorkspaceApp_Health,
  WorkspaceApp_SharingLevel,
  type WorkspaceAppSchema,
} from "@slipway/wire";

import type { GatheredLookups } from "../../../platform/db/gathered-lookups.ts";
import type { AgentCaller } from "../../../platform/http/caller.ts";
import { readEnvironment } from "../agent-json.ts";
import type { ReadDerpMap } from "../derp-map.ts";
import {
  type ManifestAppRow,
  type ManifestMetadataRow,
  type ManifestRow,
  type ManifestScriptRow,
} from "./manifest-queries.ts";
import { noteMetadataKeys } from "./metadata.ts";
import { notLive } from "./require-live.ts";

export interface ManifestNeeds {
  /** The inputs of manifests, by the agent's id. */
  readonly manifests: GatheredLookups<ManifestRow>;
  readonly readDerpMap: ReadDerpMap;
  /** The number of providers of tokens for Git: with none, the agent leaves the settings of editors alone. */
  readonly gitAuthConfigs: number;
}

/** Returns all that the agent has to do (docs/protocol/rpc.md §7.1). Read again at each connection. */
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
    derpMap: derpMapMessage(derpMap),
    scripts: agent.scripts.map(scriptOf),
    apps: agent.apps.map(appOf),
    metadata: agent.metadata.map(metadataOf),
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
