import type { WorkspaceBuild } from "@slipway/api/builds/build";
import { type Readiness, readinessOf } from "@slipway/api/workspaces/readiness";
import type { Workspace } from "@slipway/api/workspaces/workspace";

import { WorkspaceError } from "./errors.ts";
import { followUntil, type FollowWorkspaceOptions } from "./follow-workspace.ts";

/** The progress of a wait, in words for people. */
export interface WaitProgress {
  readonly workspace: Workspace;
  /** Such as `agent main is running its start scripts`. */
  readonly text: string;
}

export interface WaitOptions extends FollowWorkspaceOptions {
  /** Called when the text changes. */
  readonly onProgress: ((progress: WaitProgress) => void) | undefined;
}

/**
 * Waits until a build is done, and for a start until its agents are connected and have run their start scripts, even if
 * some failed. Throws `WorkspaceError` if that cannot happen any more.
 */
export async function waitForBuild(
  { id }: Pick<Workspace, "id">,
  build: Pick<WorkspaceBuild, "build_number">,
  options: WaitOptions,
): Promise<Workspace> {
  let last = "";
  const isOver = (workspace: Workspace): boolean => {
    const { latest_build: newest } = workspace;
    if (newest.build_number !== build.build_number) throw replaced(build, newest);
    const readiness = readinessOf(newest);
    if (readiness.kind === "failed") throw buildError(readiness);
    if (readiness.kind === "over") return true;
    const { text } = readiness;
    if (text !== last) options.onProgress?.({ workspace, text });
    last = text;
    return false;
  };
  return followUntil(id, isOver, options);
}

function buildError({
  problem,
  text,
}: Extract<Readiness, { readonly kind: "failed" }>): WorkspaceError {
  const retryable = problem === "agent-unavailable";
  return new WorkspaceError(problem, text, { admitted: "yes", retryable });
}

function replaced(
  { build_number }: Pick<WorkspaceBuild, "build_number">,
  newest: WorkspaceBuild,
): WorkspaceError {
  const text = `build ${build_number} was followed by build ${newest.build_number} (${newest.transition})`;
  return new WorkspaceError("not-running", text, { admitted: "yes" });
}
