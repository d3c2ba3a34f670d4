import type { Workspace } from "@slipway/api/workspaces/workspace";
import { ApiError } from "@slipway/sdk/http";

import { CommandError } from "../../command/errors.ts";
import type { ClientNeeds } from "../../command/needs.ts";
import { readPatiently } from "../../command/patient-read.ts";
import { beginBuild } from "../builds/begin-build.ts";
import { isFinal } from "../builds/follow-job.ts";
import { waitForBuild } from "../builds/wait-for-build.ts";
import { findWorkspace, fullName } from "../workspaces/workspace-reference.ts";

/**
 * Finds a workspace and waits for its build, if one is running; starts it if it is stopped (docs/protocol/clients.md
 * §1.1, wsAgent). Throws `CommandError` for a workspace that is not running then.
 */
export async function runningWorkspace(
  reference: string,
  { autostart }: { readonly autostart: boolean },
  needs: ClientNeeds,
): Promise<Workspace> {
  const workspace = await settled(
    await findWorkspace(needs.client, reference, needs.signal),
    needs,
  );
  const { status, build_number } = workspace.latest_build;
  const name = fullName(workspace);
  if (status === "running") return workspace;
  if (status === "stopped") {
    if (autostart) return start(workspace, needs);
    throw new CommandError(`workspace ${name} is stopped`, {
      hint: `start it with: slipway start ${name}`,
    });
  }
  throw new CommandError(`workspace ${name} is not running: build ${build_number} is ${status}`, {
    hint: `see why with: slipway logs ${name}; start it with: slipway start ${name}`,
  });
}

/** Waits for the running build, regardless of its result: the status of the workspace shows it. */
async function settled(workspace: Workspace, needs: ClientNeeds): Promise<Workspace> {
  const build = workspace.latest_build;
  if (isFinal(build.job)) return workspace;
  if (build.transition === "delete") {
    throw new CommandError(`workspace ${fullName(workspace)} is being deleted`);
  }
  await waitForBuild(build, needs);
  return readPatiently(() => findWorkspace(needs.client, workspace.id, needs.signal), needs);
}

async function start(workspace: Workspace, needs: ClientNeeds): Promise<Workspace> {
  const { client, terminal, signal } = needs;
  terminal.err.line(`${fullName(workspace)} is stopped, starting it`);
  try {
    const request = { transition: "start", reason: "ssh_connection" } as const;
    await waitForBuild(await beginBuild(workspace, request, needs), needs);
  } catch (error) {
    // Another client has started it in the meantime.
    if (!(error instanceof ApiError && error.status === 409)) throw error;
    return runningWorkspace(workspace.id, { autostart: false }, needs);
  }
  return readPatiently(() => findWorkspace(client, workspace.id, signal), needs);
}
