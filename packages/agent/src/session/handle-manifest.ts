import type { Logger } from "@slipway/runtime";
import type { AgentConnection } from "@slipway/sdk/agent";

import type { Subsystem } from "../config/agent-config.ts";
import { agentVersion } from "../config/agent-version.ts";
import { getManifest, updateStartup } from "./manifest-calls.ts";
import type { AgentManifest } from "./manifest.ts";
import { writeSecretFiles } from "./secret-files.ts";
import type { Workspace } from "./workspace.ts";

/** Fetches the manifest, says what the agent is, and takes the manifest up (agent.md 2.4); on each connection anew. */
export async function handleManifest(
  connection: AgentConnection,
  {
    workspace,
    subsystems,
    logger,
  }: {
    readonly workspace: Workspace;
    readonly subsystems: readonly Subsystem[];
    readonly logger: Logger;
  },
  signal: AbortSignal,
): Promise<AgentManifest> {
  const manifest = await getManifest(connection, workspace.place, signal);
  const expandedDirectory = manifest.workspace.directory;
  await updateStartup(connection, { version: agentVersion, expandedDirectory, subsystems }, signal);
  workspace.update(manifest.workspace);
  await writeSecretFiles(manifest.secretFiles, logger);
  return manifest;
}
