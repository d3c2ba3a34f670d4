import { setTimeout as pause } from "node:timers/promises";

import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { createWorkspace, getWorkspace } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import type { ApiClient } from "@slipway/sdk/http";

/** Creates a workspace from a template and waits until `isReady` accepts its agent. */
export async function makeWorkspace(
  client: ApiClient,
  name: string,
  templateId: string,
  isReady: (agent: WorkspaceAgent) => boolean,
): Promise<Workspace> {
  const body = { name, template_id: templateId };
  const { id } = await client.call(createWorkspace, { params: { user: "me" }, body });
  return waitForWorkspace(client, id, (workspace) => {
    const agent = firstAgent(workspace);
    return agent !== undefined && isReady(agent);
  });
}

export function firstAgent(workspace: Workspace): WorkspaceAgent | undefined {
  return workspace.latest_build.resources.flatMap((resource) => resource.agents)[0];
}

/** Returns the first agent of a workspace. Throws when it has none. */
export function requireAgent(workspace: Workspace): WorkspaceAgent {
  const agent = firstAgent(workspace);
  if (agent === undefined) throw new Error(`workspace ${workspace.name} has no agent`);
  return agent;
}

const waitTimeoutMs = 60_000;
const defaultPollMs = 50;

interface WaitOptions {
  readonly pollMs?: number;
  /** True if the workspace may be deleted meanwhile. */
  readonly includesDeleted?: boolean;
}

/**
 * Reads the workspace every `pollMs` (default: 50) until `isGood` accepts it. Throws when its build fails or the time
 * is up.
 */
export async function waitForWorkspace(
  client: ApiClient,
  id: string,
  isGood: (workspace: Workspace) => boolean,
  { pollMs = defaultPollMs, includesDeleted = false }: WaitOptions = {},
): Promise<Workspace> {
  const query = includesDeleted ? { include_deleted: "true" } : {};
  const deadline = performance.now() + waitTimeoutMs;
  for (;;) {
    const workspace = await client.call(getWorkspace, { params: { workspace: id }, query });
    if (isGood(workspace)) return workspace;
    const { status, job } = workspace.latest_build;
    if (status === "failed") throw new Error(`build failed: ${job.error ?? ""}`);
    if (performance.now() > deadline) throw new Error(`timed out while workspace is ${status}`);
    await pause(pollMs);
  }
}

/** Deletes a workspace whose build has ended, and waits until it is gone. Throws like `waitForWorkspace`. */
export async function removeWorkspace(client: ApiClient, id: string): Promise<void> {
  await client.call(createBuild, { params: { workspace: id }, body: { transition: "delete" } });
  const isGone = ({ latest_build: { status } }: Workspace): boolean => status === "deleted";
  await waitForWorkspace(client, id, isGone, { includesDeleted: true });
}
