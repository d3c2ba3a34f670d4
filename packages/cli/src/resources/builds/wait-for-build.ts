import type { WorkspaceBuild } from "@slipway/api/builds/build";
import type { Transition } from "@slipway/api/builds/resource";
import { getBuild, getBuildLogs } from "@slipway/api/builds/routes";
import type { JobLog } from "@slipway/api/jobs/job";
import { followLog } from "@slipway/sdk/stream";

import type { ClientNeeds } from "../../command/client-needs.ts";
import { CommandError } from "../../command/errors.ts";
import { LossNotice } from "../../command/loss-notice.ts";
import { Progress } from "../../terminal/progress.ts";
import { followJob } from "./follow-job.ts";
import { JobLogLines } from "./job-log-lines.ts";

/**
 * Shows the log of a build until the build is done; resolves with the finished build. Throws `CommandError` with the
 * job's error when it failed. When the wait is interrupted, reports that the build continues.
 */
export async function waitForBuild(
  build: WorkspaceBuild,
  needs: ClientNeeds,
): Promise<WorkspaceBuild> {
  const { client, terminal, clock, signal } = needs;
  const name = `${build.workspace_owner_name}/${build.workspace_name}`;
  using progress = new Progress(terminal.err, clock);
  progress.waitFor(`${verbs[build.transition]} ${name}`);
  const lines = new JobLogLines(terminal.err.colors);
  const params = { build: build.id };
  try {
    const done = await followJob({
      log: followLog<JobLog, typeof getBuildLogs>({
        client,
        route: getBuildLogs,
        params,
        clock,
        signal,
        onReconnect: lossReporter(progress, needs),
      }),
      read: () => client.call(getBuild, { params, signal }),
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

function lossReporter(
  progress: Progress,
  { clock, terminal }: ClientNeeds,
): (error: unknown) => void {
  const notice = new LossNotice((text) => progress.line(terminal.err.colors.yellow(text)), clock);
  return (error) => notice.lost("log", error);
}

function buildFailure(
  { job, build_number, transition }: WorkspaceBuild,
  name: string,
): CommandError {
  const what = `build ${build_number} (${transition}) of ${name}`;
  const hint = `see its log with: slipway logs ${name} -n ${build_number}`;
  if (job.status === "canceled") return new CommandError(`${what} was canceled`, { hint });
  return new CommandError(`${what} failed: ${job.error ?? "the server gave no reason"}`, { hint });
}
