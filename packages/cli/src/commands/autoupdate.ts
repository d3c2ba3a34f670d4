import { updateAutomaticUpdates } from "@slipway/api/workspaces/routes";

import { connect } from "../command/connect.ts";
import { defineCommand, type OptionsOf } from "../command/definition.ts";
import { UsageError } from "../command/errors.ts";
import { exitCodes } from "../command/exit-codes.ts";
import { ignoredYesFlag, outputFlag } from "../command/flags.ts";
import type { Needs } from "../command/needs.ts";
import { reportChange } from "../resources/workspaces/outcome.ts";
import {
  findWorkspace,
  fullName,
  workspaceArgument,
} from "../resources/workspaces/workspace-reference.ts";

export const command = defineCommand({
  summary: "set whether a workspace updates to its template's active version on start",
  arguments: {
    workspace: workspaceArgument,
    policy: { summary: "always or never", required: true, completion: ["always", "never"] },
  },
  flags: {
    yes: ignoredYesFlag,
    output: outputFlag,
  },
  examples: [{ line: "slipway autoupdate demo always", summary: "update demo on every start" }],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const { policy } = options;
  if (policy !== "always" && policy !== "never")
    throw new UsageError(`unknown policy "${policy}", wanted always or never`);
  const client = connect(settings);
  const workspace = await findWorkspace(client, options.workspace, signal);
  const params = { workspace: workspace.id };
  await client.call(updateAutomaticUpdates, {
    params,
    body: { automatic_updates: policy },
    signal,
  });
  const version =
    policy === "always" ? "the active version of its template" : "its current version";
  const text = `${fullName(workspace)} starts with ${version}`;
  await reportChange({ client, terminal, signal }, workspace, options.output, text);
  return exitCodes.ok;
}
