import type { WorkspaceBuild } from "@slipway/api/builds/build";
import type { Transition } from "@slipway/api/builds/resource";
import { getBuild, getBuildLogs } from "@slipway/api/builds/routes";
import type { JobLog } from "@slipway/api/jobs/job";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { followLog } from "@slipway/sdk/stream";

import { CommandError } from "../../command/errors.ts";
import type { ClientNeeds } from "../../command/needs.ts";
import { LossNotice, readPatiently } from "../../command/patient-read.ts";
import { Progress } from "../../terminal/progress.ts";
import { findWorkspace } from "../workspaces/workspace-reference.ts";
import { followJob, isFinal, JobLogLines } from "./follow-job.ts";
import { waitingNotice } from "./waiting-notice.ts";

/**
 * Shows the log of a build until the build is done; resolves with the finished build. Throws `CommandError` with the
 * job's error if it failed. If the wait is interrupted, reports that the build continues.
 */
export async function waitForBuild(
  build: WorkspaceBuild,
  needs: ClientNeeds,
): Promise<WorkspaceBuild> {
  const { client, terminal, clock, signal } = needs;
  const name = `${build.workspace_owner_name}/${build.workspace_name}`;
  using progress = new Progress(terminal.err, clock);
  const waiting = waitingNotice(build);
  if (waiting !== undefined) progress.line(terminal.err.colors.yellow(waiting));
  progress.waitFor(`${verbs[build.transition]} ${name}`);
  const lines = new JobLogLines(terminal.err.colors);
  const params = { build: build.id };
  const read = (): Promise<WorkspaceBuild> => client.call(getBuild, { params, signal });
  try {
    const done = await followJob({
      log: followLog<JobLog, typeof getBuildLogs>({
        client,
        route: getBuildLogs,
        params,
        clock,
        signal,
        ...new LossNotice(terminal.err, clock, progress).ofLog("log"),
        isComplete: async () => isFinal((await read()).job),
      }),
      read,
      lines,
      progress,
      clock,
      signal,
    });
    if (done.job.status !== "succeeded") throw buildFailure(done, name);
    return done;
  } catch (error) {
    if (signal.aborted) {
      progress.line(`the build continues; follow it with: slipway logs ${name} -f`);
    }
    throw error;
  }
}

const verbs: Readonly<Record<Transition, string>> = {
  start: "starting",
  stop: "stopping",
  delete: "deleting",
};

function buildFailure(
  { job, build_number, transition }: WorkspaceBuild,
  name: string,
): CommandError {
  const what = `build ${build_number} (${transition}) of ${name}`;
  const hint = `see its log with: slipway logs ${name} -n ${build_number}`;
  if (job.status === "canceled") return new CommandError(`${what} was canceled`, { hint });
  return new CommandError(`${what} failed: ${job.error ?? "the server gave no reason"}`, { hint });
}

/**
 * Returns the workspace once it has no running build: waits for one that another user started, regardless of its
 * result, because a workspace has one build at a time.
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
