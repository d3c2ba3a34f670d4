import { unfavoriteWorkspace } from "@slipway/api/workspaces/routes";

import { connect } from "../command/connect.ts";
import { defineCommand, type OptionsOf } from "../command/definition.ts";
import { exitCodes } from "../command/exit-codes.ts";
import { outputFlag } from "../command/flags.ts";
import type { Needs } from "../command/needs.ts";
import { reportChange } from "../resources/workspaces/outcome.ts";
import {
  findWorkspace,
  fullName,
  workspaceArgument,
} from "../resources/workspaces/workspace-reference.ts";

export const command = defineCommand({
  summary: "remove a workspace from your favorites",
  aliases: ["unfav", "unfavourite"],
  arguments: { workspace: workspaceArgument },
  flags: { output: outputFlag },
  examples: [{ line: "slipway unfavorite demo", summary: "list demo in its usual place" }],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const client = connect(settings);
  const workspace = await findWorkspace(client, options.workspace, signal);
  await client.call(unfavoriteWorkspace, { params: { workspace: workspace.id }, signal });
  const text = `${fullName(workspace)} is no longer a favorite`;
  await reportChange({ client, terminal, signal }, workspace, options.output, text);
  return exitCodes.ok;
}
