import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import type { WorkspaceBuild } from "@slipway/api/builds/build";

import { CommandError } from "../../command/errors.ts";
import type { ClientNeeds } from "../../command/needs.ts";
import { LossNotice } from "../../command/patient-read.ts";
import { Progress } from "../../terminal/progress.ts";
import { followUntilStarted } from "./agent-start.ts";
import { rootAgents } from "./agents.ts";

/**
 * Waits until the agents of a build have connected and run their start scripts, whose output it shows; resolves with
 * whether all scripts succeeded. A failed script is a warning: the workspace is usable. Throws `CommandError` if an
 * agent does not connect.
 */
export async function waitForAgents(build: WorkspaceBuild, needs: ClientNeeds): Promise<boolean> {
  const { terminal, clock, signal } = needs;
  const { colors } = terminal.err;
  const name = `${build.workspace_owner_name}/${build.workspace_name}`;
  using progress = new Progress(terminal.err, clock);
  const notice = new LossNotice(terminal.err, clock, progress);
  // A failure stops following the others.
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const starts = rootAgents(build).map((agent) =>
    followUntilStarted(agent, { ...needs, signal: both }, { progress, notice }),
  );
  try {
    let haveSucceeded = true;
    for (const agent of await Promise.all(starts)) {
      const problem = startProblem(agent, name);
      if (problem !== undefined) haveSucceeded = false;
      progress.line(
        problem === undefined ? `agent ${agent.name} is ready` : colors.yellow(problem),
      );
    }
    return haveSucceeded;
  } catch (error) {
    stop.abort(error);
    await Promise.allSettled(starts);
    if (signal.aborted) {
      progress.line(`the workspace is still starting; follow it with: slipway logs ${name} -f`);
    }
    if (!(error instanceof CommandError)) throw error;
    throw new CommandError(error.message, { hint: `see its log with: slipway logs ${name}` });
  }
}

/** Returns the problem with an agent whose start is over, or undefined. */
function startProblem(
  { name, lifecycle_state }: WorkspaceAgent,
  workspace: string,
): string | undefined {
  const look = `see: slipway show ${workspace}`;
  if (lifecycle_state === "start_error") {
    return `warning: agent ${name} is running, but a start script failed; ${look}`;
  }
  if (lifecycle_state === "start_timeout") {
    return `warning: agent ${name} is running, but a start script exceeded its time limit; ${look}`;
  }
  return undefined;
}
