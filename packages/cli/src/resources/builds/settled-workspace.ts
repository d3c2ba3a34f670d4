import type { Workspace } from "@slipway/api/workspaces/workspace";

import type { ClientNeeds } from "../../command/client-needs.ts";
import { readPatiently } from "../../command/patient-read.ts";
import { findWorkspace } from "../workspaces/workspace-reference.ts";
import { isFinal } from "./follow-job.ts";
import { waitForBuild } from "./wait-for-build.ts";

/**
 * Returns the workspace once it has no running build: waits for one that somebody else started, whatever its result,
 * because a workspace has one build at a time.
 */
export async function settledWorkspace(reference: string, needs: ClientNeeds): Promise<Workspace> {
  const { client, terminal, signal } = needs;
  const workspace = await findWorkspace(client, reference, signal);
  const build = workspace.latest_build;
  if (isFinal(build.job)) return workspace;
  terminal.err.line(`waiting for build ${build.build_number} (${build.transition}) to finish`);
  try {
    await waitForBuild(build, needs);
  } catch (error) {
    signal.throwIfAborted();
    terminal.err.line(error instanceof Error ? error.message : String(error));
  }
  return readPatiently(() => findWorkspace(client, workspace.id, signal), needs);
}
