import type { WorkspaceBuild } from "@slipway/api/builds/build";
import { getBuildByNumber } from "@slipway/api/workspaces/build-routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import type { ApiClient } from "@slipway/sdk/http";

import { CommandError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { fullName } from "../workspaces/workspace-reference.ts";

/** Finds a build by its number; a negative one counts back from the newest. */
export async function chooseBuild(
  client: ApiClient,
  workspace: Workspace,
  number: number | undefined,
  signal: AbortSignal,
): Promise<WorkspaceBuild> {
  const newest = workspace.latest_build;
  const wanted =
    number === undefined ? newest.build_number : number > 0 ? number : newest.build_number + number;
  if (wanted === newest.build_number) return newest;
  if (wanted < 1 || wanted > newest.build_number) {
    throw new CommandError(
      `${fullName(workspace)} has no build ${number ?? wanted}, wanted 1 to ${newest.build_number}`,
      { exitCode: exitCodes.notFound },
    );
  }
  const params = { user: workspace.owner_name, name: workspace.name, number: String(wanted) };
  return client.call(getBuildByNumber, { params, signal });
}
