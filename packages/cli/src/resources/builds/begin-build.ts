import type { CreateBuildRequest, WorkspaceBuild } from "@slipway/api/builds/build";
import { createBuild } from "@slipway/api/workspaces/build-routes";
import { updateDormancy } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";

import { CommandError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { SwitchFlag } from "../../command/flags.ts";
import type { ClientNeeds } from "../../command/needs.ts";
import { mayHaveArrived, sendPatiently } from "../../command/patient-read.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import {
  goodOutcome,
  type Outcome,
  plainOutcome,
  presentWorkspace,
} from "../workspaces/outcome.ts";
import { fullName } from "../workspaces/workspace-reference.ts";
import { isStartedByPerson, readStartCommands, rootAgents } from "./agents.ts";
import { waitForAgents } from "./wait-for-agents.ts";
import { waitForBuild } from "./wait-for-build.ts";

/**
 * Requests a build of a workspace; a start activates a dormant one first (docs/protocol/clients.md §1.1). Throws
 * `CommandError` if the connection breaks before the answer: the server may have the request, and would refuse a
 * second one.
 */
export async function beginBuild(
  workspace: Pick<Workspace, "id" | "owner_name" | "name" | "dormant_at">,
  request: CreateBuildRequest,
  needs: ClientNeeds,
): Promise<WorkspaceBuild> {
  const { client, terminal, signal } = needs;
  const params = { workspace: workspace.id };
  const body = { reason: "cli", ...request } as const;
  if (request.transition === "start" && workspace.dormant_at !== null) {
    terminal.err.line(`${fullName(workspace)} is dormant, activating it`);
    await client.call(updateDormancy, { params, body: { dormant: false }, signal });
  }
  try {
    return await sendPatiently(() => client.call(createBuild, { params, body, signal }), needs);
  } catch (error) {
    if (!mayHaveArrived(error)) throw error;
    const text = "the connection to the server broke before it answered; the build may have begun";
    const hint = `see whether it has with: slipway show ${fullName(workspace)}`;
    throw new CommandError(text, { hint });
  }
}

/**
 * Follows a start until it is over: the build, then its agents; resolves with the outcome. With `hasRunning`, agents
 * that ran before continue on their own, even those that a person must otherwise start.
 */
export async function waitForStart(
  workspace: Workspace,
  build: WorkspaceBuild,
  needs: ClientNeeds,
  { hasRunning }: { readonly hasRunning: boolean } = { hasRunning: false },
): Promise<Outcome> {
  const name = fullName(workspace);
  const done = await waitForBuild(build, needs);
  if (!hasRunning && rootAgents(done).some((agent) => isStartedByPerson(done, agent))) {
    const commands = await readStartCommands(workspace, done, needs);
    return plainOutcome(
      await presentWorkspace(workspace, done, needs),
      waitingText(name, commands),
    );
  }
  const haveSucceeded = await waitForAgents(done, needs);
  const present = await presentWorkspace(workspace, done, needs);
  if (haveSucceeded) return goodOutcome(present, `${name} is running`);
  return {
    workspace: present,
    text: `${name} is running, but a start script did not succeed`,
    tone: "warning",
    exitCode: exitCodes.startScriptFailed,
  };
}

function waitingText(name: string, commands: readonly string[]): string {
  const text = `${name} is waiting for you to start its agent`;
  if (commands.length === 0) return `${text}; see the command with: slipway show ${name}`;
  return [`${text}:`, ...commands.map((command) => `  ${command}`)].join("\n");
}

/** Starts a workspace with a request, and follows the start unless `noWait`; resolves with the outcome. */
export async function startWith(
  request: CreateBuildRequest,
  workspace: Workspace,
  { noWait }: { readonly noWait: boolean },
  needs: ClientNeeds,
): Promise<Outcome> {
  const build = await beginBuild(workspace, request, needs);
  return noWait ? queuedOutcome(workspace, build, needs) : waitForStart(workspace, build, needs);
}

/** Returns the outcome of a build without waiting for it. */
export async function queuedOutcome(
  workspace: Workspace,
  build: WorkspaceBuild,
  needs: ClientNeeds,
): Promise<Outcome> {
  const present = await presentWorkspace(workspace, build, needs);
  return plainOutcome(present, queuedText(build, workspace));
}

/** Returns the notice for a build without waiting for it. */
function queuedText(
  build: WorkspaceBuild,
  workspace: Pick<Workspace, "owner_name" | "name">,
): string {
  const name = fullName(workspace);
  return `build ${build.build_number} (${build.transition}) of ${name} is queued; follow it with: slipway logs ${name} -f`;
}

/** `--provisioner-log-debug` of commands that begin a build: accepted, because scripts written for `coder` pass it. */
export const provisionerLogDebugFlag = {
  kind: "switch",
  summary: "no effect: build logs are always complete",
  hidden: true,
} as const satisfies SwitchFlag;

/** Prints a notice that the flag has no effect, if it is passed. */
export function noteProvisionerLogDebug(
  { provisionerLogDebug }: { readonly provisionerLogDebug: boolean },
  { err }: Pick<Terminal, "err">,
): void {
  if (!provisionerLogDebug) return;
  err.line("--provisioner-log-debug has no effect: build logs always have all that drivers report");
}
