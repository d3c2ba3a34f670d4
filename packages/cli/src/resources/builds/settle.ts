import type { Workspace } from "@slipway/api";

import { findWorkspace } from "../workspaces/reference.ts";
import { isFinal } from "./follow-job.ts";
import { waitForBuild } from "./wait-for-build.ts";
import type { Watching } from "./watching.ts";

/**
 * Returns the workspace once it has no running build: waits for one that somebody else started, whatever its result,
 * because a workspace has one build at a time.
 */
export async function settledWorkspace(reference: string, watching: Watching): Promise<Workspace> {
  const { client, terminal, signal } = watching;
  const workspace = await findWorkspace(client, reference, signal);
  const build = workspace.latest_build;
  if (isFinal(build.job)) return workspace;
  terminal.err.line(`waiting for build ${build.build_number} (${build.transition}) to finish`);
  try {
    await waitForBuild(build, watching);
  } catch (error) {
    signal.throwIfAborted();
    terminal.err.line(error instanceof Error ? error.message : String(error));
  }
  return findWorkspace(client, workspace.id, signal);
}
