import { BytesError } from "@slipway/wire/bytes/errors";
import { parseUuid } from "@slipway/wire/bytes/uuid";
import type {
  Manifest,
  WorkspaceAgentDevcontainer,
  WorkspaceAgentScript,
  WorkspaceApp,
  WorkspaceSecret,
} from "@slipway/wire/protobuf/gen/agent_pb";
import { WorkspaceApp_Health } from "@slipway/wire/protobuf/gen/agent_pb";
import { DERPMapSchema } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { createMessage } from "@slipway/wire/protobuf/message";
import { durationToMs, metadataSeconds } from "@slipway/wire/protobuf/time";

import type { DeclaredDevcontainer } from "../containers/devcontainers.ts";
import type { NetworkManifest } from "../network/agent-network.ts";
import { expandPath } from "../process/expand.ts";
import type { WorkspaceDescription } from "../process/workspace-commands.ts";
import type { Script } from "../scripts/script.ts";
import type { AppHealthState, CheckedApp } from "../stats/app-health.ts";
import type { MetadataItem } from "../stats/collect-metadata.ts";

/** The server's description of the workspace and its agent, validated and expanded. */
export interface AgentManifest {
  readonly agentId: string;
  readonly workspace: WorkspaceDescription;
  readonly scripts: readonly Script[];
  readonly apps: readonly CheckedApp[];
  readonly metadata: readonly MetadataItem[];
  readonly secretFiles: readonly SecretFile[];
  /** True if the server has git providers that users can log in to. */
  readonly hasGitProviders: boolean;
  readonly network: NetworkManifest;
  /** True for the agent in a dev container. */
  readonly isSubAgent: boolean;
  readonly devcontainers: readonly DeclaredDevcontainer[];
}

/** A secret that is written to a file. */
export interface SecretFile {
  /** Expanded. */
  readonly path: string;
  readonly content: Uint8Array;
}

/** The values that expand paths of the manifest. */
export interface ExpansionContext {
  readonly home: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** A malformed manifest. */
export class ManifestError extends Error {
  override readonly name = "ManifestError";
  readonly code = "bad-manifest";
}

/** Reads the message of `GetManifest`. Throws `ManifestError` for malformed ids. */
export function readManifest(message: Manifest, context: ExpansionContext): AgentManifest {
  const expand = (path: string): string => expandPath(path, { ...context, base: context.home });
  const agentId = readId("agent_id", message.agentId);
  if (/^[0-]*$/.test(agentId)) throw new ManifestError("agent_id of the manifest is all zeros");
  return {
    agentId,
    workspace: {
      workspaceName: message.workspaceName,
      agentName: message.agentName,
      ownerName: message.ownerUsername,
      workspaceId: readId("workspace_id", message.workspaceId),
      directory: expand(message.directory),
      vscodeProxyUri: message.vsCodePortProxyUri,
      motdPath: expand(message.motdPath),
      environment: message.environmentVariables,
      secrets: secretVariables(message.secrets),
    },
    scripts: message.scripts.map((script) => readScript(script)),
    apps: message.apps.flatMap((app) => readApp(app) ?? []),
    metadata: message.metadata.map((item) => ({
      key: item.key,
      script: item.script,
      intervalSeconds: metadataSeconds(item.interval),
      timeoutSeconds: metadataSeconds(item.timeout),
    })),
    secretFiles: message.secrets
      .filter(({ filePath }) => filePath !== "")
      .map(({ filePath, value }) => ({ path: expand(filePath), content: value })),
    hasGitProviders: message.gitAuthConfigs > 0,
    network: {
      // A server that sends none may send it through its coordinator.
      derpMap: message.derpMap ?? createMessage(DERPMapSchema),
      disableDirect: message.disableDirectConnections,
      forceWebSocket: message.derpForceWebsockets,
    },
    isSubAgent: message.parentId !== undefined,
    devcontainers: message.devcontainers.map((one) => readDevcontainer(one, expand, context)),
  };
}

/** Reads a dev container; a relative path of its configuration is below its folder (docs/protocol/agent.md §2.4). */
function readDevcontainer(
  { id, name, workspaceFolder, configPath, subagentId }: WorkspaceAgentDevcontainer,
  expand: (path: string) => string,
  context: ExpansionContext,
): DeclaredDevcontainer {
  const folder = expand(workspaceFolder);
  return {
    id: readId("id of a dev container", id),
    name,
    folder,
    configPath:
      configPath === "" ? undefined : expandPath(configPath, { ...context, base: folder }),
    subAgentId:
      subagentId === undefined ? undefined : readId("subagent_id of a dev container", subagentId),
  };
}

function readScript(script: WorkspaceAgentScript): Script {
  const timeoutMs = durationToMs(script.timeout);
  return {
    id: readId("id of a script", script.id),
    logSourceId: readId("log_source_id of a script", script.logSourceId),
    displayName: script.displayName,
    logPath: script.logPath,
    text: script.script,
    cron: script.cron,
    runOnStart: script.runOnStart,
    runOnStop: script.runOnStop,
    timeoutMs: timeoutMs > 0 ? timeoutMs : undefined,
  };
}

/** Returns undefined for an application without a health check. */
function readApp(app: WorkspaceApp): CheckedApp | undefined {
  const { url = "", threshold = 0, interval } = app.healthcheck ?? {};
  const intervalMs = durationToMs(interval);
  const health = healthStates.get(app.health);
  if (health === undefined || url === "" || intervalMs <= 0 || threshold <= 0) return undefined;
  return { id: readId("id of an app", app.id), url, intervalMs, threshold, health };
}

/** The health states except the disabled one. */
const healthStates: ReadonlyMap<WorkspaceApp_Health, AppHealthState> = new Map([
  [WorkspaceApp_Health.INITIALIZING, "initializing"],
  [WorkspaceApp_Health.HEALTHY, "healthy"],
  [WorkspaceApp_Health.UNHEALTHY, "unhealthy"],
]);

/** Returns the values as text. Drops those with a NUL, which cannot be passed to a child. */
function secretVariables(secrets: readonly WorkspaceSecret[]): Record<string, string> {
  return Object.fromEntries(
    secrets
      .filter(({ envName, value }) => envName !== "" && !value.includes(0))
      .map(({ envName, value }) => [envName, Buffer.from(value).toString("utf8")]),
  );
}

function readId(name: string, bytes: Uint8Array): string {
  try {
    return parseUuid(bytes);
  } catch (error) {
    if (!(error instanceof BytesError)) throw error;
    throw new ManifestError(`invalid ${name} in the manifest`, { cause: error });
  }
}
