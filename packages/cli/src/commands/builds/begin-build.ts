import {
  createBuild,
  type CreateBuildRequest,
  type Workspace,
  type WorkspaceBuild,
} from "@slipway/api";

import { fullName } from "../workspace/reference.ts";
import { isStartedByPerson } from "./external-agent.ts";
import { waitForAgents } from "./wait-for-agents.ts";
import { waitForBuild } from "./wait-for-build.ts";
import type { Watching } from "./watching.ts";

/** Asks for a build of a workspace. */
export async function beginBuild(
  { id }: Pick<Workspace, "id">,
  request: CreateBuildRequest,
  { client, signal }: Pick<Watching, "client" | "signal">,
): Promise<WorkspaceBuild> {
  const body = { reason: "cli", ...request } as const;
  return client.call(createBuild, { params: { workspace: id }, body, signal });
}

/**
 * Looks on until a start is over: the build, then its agents. Says how that ended. With `hasRunning`, agents that ran before
 * go on by themselves, also those that somebody has to start otherwise.
 */
export async function waitForStart(
  build: WorkspaceBuild,
  watching: Watching,
  { hasRunning }: { readonly hasRunning: boolean } = { hasRunning: false },
): Promise<void> {
  const { err } = watching.terminal;
  const name = `${build.workspace_owner_name}/${build.workspace_name}`;
  const done = await waitForBuild(build, watching);
  if (!hasRunning && (await isStartedByPerson(done, watching))) {
    err.line(
      `${name} waits for you to start its agent, with the command that is shown by: slipway show ${name}`,
    );
    return;
  }
  await waitForAgents(done, watching);
  err.line(err.colors.green(`${name} is running`));
}

/** What to say when nobody waits. */
export function queuedText(
  build: WorkspaceBuild,
  workspace: Pick<Workspace, "owner_name" | "name">,
): string {
  const name = fullName(workspace);
  return `build ${build.build_number} (${build.transition}) of ${name} is queued; follow it with: slipway logs ${name} -f`;
}
