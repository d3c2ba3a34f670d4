import { renameWorkspace } from "@slipway/api/workspaces/routes";

import { connect } from "../command/connect.ts";
import { defineCommand, type OptionsOf } from "../command/definition.ts";
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
  summary: "rename a workspace",
  arguments: {
    workspace: workspaceArgument,
    name: { summary: "the new name", required: true },
  },
  flags: {
    yes: ignoredYesFlag,
    output: outputFlag,
  },
  examples: [{ line: "slipway rename demo trial", summary: "rename demo to trial" }],
});

export async function run(
  { workspace: reference, name, output }: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const client = connect(settings);
  const workspace = await findWorkspace(client, reference, signal);
  const params = { workspace: workspace.id };
  await client.call(renameWorkspace, { params, body: { name }, signal });
  const text = `renamed ${fullName(workspace)} to ${name}`;
  await reportChange({ client, terminal, signal }, workspace, output, text);
  return exitCodes.ok;
}
