import type { WorkspaceBuild } from "@slipway/api/builds/build";
import type { Transition } from "@slipway/api/builds/resource";
import { cancelBuild } from "@slipway/api/builds/routes";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { isFinalJob } from "@slipway/api/workspaces/readiness";
import { getWorkspace, updateDormancy } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";

import type { ApiClient } from "../http/client.ts";
import { ApiError } from "../http/errors.ts";
import { followUntil, type FollowWorkspaceOptions } from "./follow-workspace.ts";

/**
 * Requests a build of a workspace as soon as no other one is running, and resolves to the workspace with it, or with the
 * build that has done or is doing the same. A deletion cancels what is running.
 */
export async function beginBuild(
  id: string,
  transition: Transition,
  options: FollowWorkspaceOptions,
): Promise<Workspace> {
  const { client, signal } = options;
  const params = { workspace: id };
  for (;;) {
    const workspace = await readWorkspace(client, id, signal);
    const { latest_build: current } = workspace;
    if (current.status === "deleted" || isDoing(current, transition)) return workspace;
    if (transition === "start" && workspace.dormant_at !== null) {
      await client.call(updateDormancy, { params, body: { dormant: false }, signal });
    }
    try {
      const build = await client.call(createBuild, { params, body: { transition }, signal });
      return { ...workspace, latest_build: build };
    } catch (error) {
      // Another build is running, or was requested at the same moment.
      if (!(error instanceof ApiError && error.status === 409) || isFinalJob(current.job))
        throw error;
      if (transition === "delete") await cancelIfAllowed(current, options);
      await followUntil(id, ({ latest_build }) => isFinalJob(latest_build.job), options);
    }
  }
}

export function readWorkspace(
  client: ApiClient,
  id: string,
  signal: AbortSignal,
): Promise<Workspace> {
  const query = { include_deleted: "true" };
  return client.call(getWorkspace, { params: { workspace: id }, query, signal });
}

function isDoing({ transition, job }: WorkspaceBuild, wanted: Transition): boolean {
  return transition === wanted && job.status !== "failed" && job.status !== "canceled";
}

/** Cancels a build, unless its template leaves that to administrators or the build is done by now. */
async function cancelIfAllowed(
  { id }: WorkspaceBuild,
  { client, signal }: FollowWorkspaceOptions,
): Promise<void> {
  try {
    await client.call(cancelBuild, { params: { build: id }, signal });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
}
