import { cancelBuild } from "@slipway/api/builds/routes";

import { connect } from "../command/connect.ts";
import { defineCommand, type OptionsOf } from "../command/definition.ts";
import { CommandError } from "../command/errors.ts";
import { exitCodes } from "../command/exit-codes.ts";
import { outputFlag } from "../command/flags.ts";
import type { Needs } from "../command/needs.ts";
import { isFinal } from "../resources/builds/follow-job.ts";
import { reportChange } from "../resources/workspaces/outcome.ts";
import {
  findWorkspace,
  fullName,
  workspaceArgument,
} from "../resources/workspaces/workspace-reference.ts";

export const command = defineCommand({
  summary: "cancel a workspace's running build",
  arguments: { workspace: workspaceArgument },
  flags: { output: outputFlag },
  examples: [{ line: "slipway cancel demo", summary: "cancel its start or stop" }],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const client = connect(settings);
  const workspace = await findWorkspace(client, options.workspace, signal);
  const name = fullName(workspace);
  const { id, job, build_number, transition } = workspace.latest_build;
  const what = `build ${build_number} (${transition}) of ${name}`;
  if (isFinal(job)) throw new CommandError(`${what} has already finished: ${job.status}`);
  await client.call(cancelBuild, { params: { build: id }, signal });
  const text = `${what} is being canceled; see the result with: slipway show ${name}`;
  await reportChange({ client, terminal, signal }, workspace, options.output, text);
  return exitCodes.ok;
}
