import { type AppPlace, portUrl, primaryRegion } from "@slipway/api/workspaces/app-url";
import { listPortShares, type PortShare } from "@slipway/api/workspaces/port-share-routes";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { columnFlag, outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { printList } from "../../command/print-result.ts";
import { findRegion } from "../../resources/applications/find-region.ts";
import {
  findWorkspace,
  fullName,
  workspaceArgument,
} from "../../resources/workspaces/workspace-reference.ts";
import type { Columns } from "../../terminal/table.ts";

export const command = defineCommand({
  summary: "list the shared ports of a workspace",
  description:
    "List the ports that other users can open. The level is the one in effect: owner means that the template allows " +
    "no sharing now.",
  aliases: ["ls"],
  arguments: { workspace: workspaceArgument },
  flags: {
    column: columnFlag(["agent", "port", "protocol", "level", "url"]),
    output: outputFlag,
  },
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

/** Returns the columns of the shared ports of a workspace. */
function portShareColumns(
  place: AppPlace,
): Columns<PortShare, (typeof command.flags.column.columns)[number]> {
  return {
    agent: ({ agent_name }) => agent_name,
    port: ({ port }) => String(port),
    protocol: ({ protocol }) => protocol,
    level: ({ share_level }) => share_level,
    url: (share) => portUrl(share, place) ?? "-",
  };
}
