import { listPortShares } from "@slipway/api/workspaces/port-share-routes";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { printList } from "../../command/print-list.ts";
import { findRegion, primaryRegion } from "../../resources/applications/find-region.ts";
import {
  portShareColumnFlag,
  portShareColumns,
} from "../../resources/applications/port-share-columns.ts";
import { workspaceArgument } from "../../resources/workspaces/workspace-arguments.ts";
import { findWorkspace, fullName } from "../../resources/workspaces/workspace-reference.ts";

export const command = defineCommand({
  summary: "list the shared ports of a workspace",
  description:
    "List the ports that other users can open. The level is the one in effect: owner means that the template allows " +
    "no sharing now.",
  aliases: ["ls"],
  arguments: { workspace: workspaceArgument },
  flags: { column: portShareColumnFlag, output: outputFlag },
  examples: [
    { line: "slipway port-shares list demo", summary: "ports, levels and URLs" },
    { line: "slipway port-shares list ada/demo -o json", summary: "another user's, as JSON" },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const client = connect(settings);
  const workspace = await findWorkspace(client, options.workspace, signal);
  const params = { workspace: workspace.id };
  // Other servers send null for none.
  const shares = (await client.call(listPortShares, { params, signal })).shares ?? [];
  const region = await findRegion(client, primaryRegion, signal);
  const name = fullName(workspace);
  return printList(terminal, shares, options, {
    columns: portShareColumns({ workspace, region }),
    none: `no shared ports; share one with: slipway port-shares add ${name} <port>`,
  });
}
