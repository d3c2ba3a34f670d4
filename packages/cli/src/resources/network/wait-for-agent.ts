import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { withDeadline } from "@slipway/runtime";

import { CommandError } from "../../command/errors.ts";
import type { ClientNeeds } from "../../command/needs.ts";
import { LossNotice } from "../../command/patient-read.ts";
import { Progress } from "../../terminal/progress.ts";
import {
  connectionWait,
  currentWait,
  followUntilStarted,
  pollAgent,
} from "../builds/agent-start.ts";
import { isStartedByPerson } from "../builds/agents.ts";
import { fullName } from "../workspaces/workspace-reference.ts";

/** The choices of `--wait`: wait for start scripts always, never, or if they block logins. */
export type ScriptWait = "auto" | "yes" | "no";

/** The time after a build within which an agent that a person started before may connect again by itself. */
const startOverMs = 20_000;

/**
 * Waits until an agent is connected, and for its start scripts if requested, whose log it shows
 * (docs/protocol/clients.md §1.1, agentWait); warns of scripts that did not succeed. Throws `CommandError` for an
 * agent that does not connect.
 */
export async function waitForAgent(
  workspace: Workspace,
  agent: WorkspaceAgent,
  wait: ScriptWait,
  needs: ClientNeeds,
): Promise<void> {
  const waitOf = waitsForScripts(agent, wait) ? currentWait : connectionWait;
  if (waitOf(agent) === undefined) return;
  const name = fullName(workspace);
  const { terminal, clock } = needs;
  using progress = new Progress(terminal.err, clock);
  const { colors } = terminal.err;
  const notice = new LossNotice(terminal.err, clock, progress);
  const output = { progress, notice };
  if (isStartedByPerson(workspace.latest_build, agent)) {
    if (!(await startsOver(agent, workspace.latest_build, needs, output))) {
      throw new CommandError(`agent ${agent.name} of ${name} has not connected yet`, {
        hint: `you start it yourself; see the command with: slipway show ${name}`,
      });
    }
  }
  if (waitOf === connectionWait) {
    await pollAgent(agent, waitOf, needs, output);
    return;
  }
  const { lifecycle_state } = await followUntilStarted(agent, needs, output);
  if (lifecycle_state === "ready") return;
  progress.line(
    colors.yellow(`warning: a start script of ${name} did not succeed; see: slipway show ${name}`),
  );
}

/**
 * Waits for an agent that a person starts as long as it may be starting again by itself, as it does after a claim;
 * resolves with whether it has connected.
 */
async function startsOver(
  agent: WorkspaceAgent,
  { created_at, job }: Workspace["latest_build"],
  needs: ClientNeeds,
  output: Parameters<typeof pollAgent>[3],
): Promise<boolean> {
  const { clock, signal } = needs;
  const ageMs = clock.now() - Date.parse(job.completed_at ?? created_at);
  const waitMs = Math.min(startOverMs - ageMs, startOverMs);
  if (!(waitMs > 0)) return false;
  return withDeadline(waitMs, clock, async (limit) => {
    const both = AbortSignal.any([signal, limit]);
    try {
      await pollAgent(agent, connectionWait, { ...needs, signal: both }, output);
      return true;
    } catch (error) {
      if (limit.aborted && !signal.aborted) return false;
      throw error;
    }
  });
}

function waitsForScripts({ scripts }: WorkspaceAgent, wait: ScriptWait): boolean {
  switch (wait) {
    case "yes":
      return true;
    case "no":
      return false;
    case "auto":
      return scripts.some(({ start_blocks_login }) => start_blocks_login);
  }
}
