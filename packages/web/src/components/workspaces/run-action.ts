import type { BuildParameter, WorkspaceBuild } from "@slipway/api/builds/build";
import type { Transition } from "@slipway/api/builds/resource";
import { cancelBuild } from "@slipway/api/builds/routes";
import type { ResponseOf } from "@slipway/api/contract/route";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { isFinalJob } from "@slipway/api/workspaces/readiness";
import { updateDormancy } from "@slipway/api/workspaces/routes";
import { watchWorkspaceSocket } from "@slipway/api/workspaces/watch-routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { openSocket } from "@slipway/sdk/stream";

import { client } from "../../api/client.ts";
import { ensureSet } from "../../api/ensure.ts";
import type { WorkspaceAction } from "./action-refusal.ts";

/** The version and the values of a start; without them it keeps those of the last build. */
interface StartChanges {
  readonly versionId?: string | undefined;
  readonly parameters?: readonly BuildParameter[];
}

type Subject = Pick<Workspace, "id" | "dormant_at" | "latest_build" | "template_active_version_id">;

/**
 * Carries an action out, up to the point where its build is queued. A restart first waits until the workspace has
 * stopped.
 */
export async function runAction(
  action: WorkspaceAction,
  workspace: Subject,
  changes: StartChanges = {},
): Promise<void> {
  switch (action) {
    case "start":
      return startWorkspace(workspace, changes);
    case "update":
      return startWorkspace(workspace, {
        ...changes,
        versionId: workspace.template_active_version_id,
      });
    case "stop":
    case "delete":
      await beginBuild(workspace, action);
      return undefined;
    case "restart":
      await waitUntilDone(await beginBuild(workspace, "stop"));
      return startWorkspace(workspace, changes);
    case "cancel": {
      const { id } = workspace.latest_build;
      await client.call(cancelBuild, { params: { build: id } });
      return undefined;
    }
  }
}

async function startWorkspace(workspace: Subject, changes: StartChanges): Promise<void> {
  if (workspace.dormant_at !== null) {
    await ensureSet(
      client.call(updateDormancy, {
        params: { workspace: workspace.id },
        body: { dormant: false },
      }),
    );
  }
  await beginBuild(workspace, "start", changes);
}

async function beginBuild(
  { id }: Subject,
  transition: Transition,
  { versionId, parameters = [] }: StartChanges = {},
): Promise<WorkspaceBuild> {
  return client.call(createBuild, {
    params: { workspace: id },
    body: {
      transition,
      reason: "dashboard",
      ...(versionId === undefined ? {} : { template_version_id: versionId }),
      ...(parameters.length === 0 ? {} : { rich_parameter_values: [...parameters] }),
    },
  });
}

/** Waits for the end of a build. Throws if it fails or another one takes its place. */
async function waitUntilDone({ id, workspace_id: workspace }: WorkspaceBuild): Promise<void> {
  const url = client.url(watchWorkspaceSocket, { params: { workspace } });
  const { signal } = new AbortController();
  const socket = await openSocket(url, { headers: {}, signal });
  try {
    for await (const text of socket) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- messages are trusted to follow the contract
      const { data } = JSON.parse(text) as ResponseOf<typeof watchWorkspaceSocket>;
      if (data === null) continue;
      const { latest_build: build } = data;
      if (build.id !== id) throw new Error("Another build of the workspace has started.");
      if (!isFinalJob(build.job)) continue;
      if (build.job.status === "succeeded") return;
      throw new Error(`The workspace was not stopped: ${build.job.error ?? build.job.status}`);
    }
    throw new Error(
      "The connection was lost while the workspace was stopping. Start it once it has stopped.",
    );
  } finally {
    socket.close();
  }
}
