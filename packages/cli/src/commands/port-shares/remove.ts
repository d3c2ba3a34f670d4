import {
  listPortShares,
  type PortShare,
  unsharePort,
} from "@slipway/api/workspaces/port-share-routes";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { CommandError, UsageError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { ignoredYesFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { portArgument, readSharedPort } from "../../resources/applications/port-argument.ts";
import { agentArgument, readAgentReference } from "../../resources/network/agent-reference.ts";
import { findWorkspace, fullName } from "../../resources/workspaces/workspace-reference.ts";

export const command = defineCommand({
  summary: "stop sharing a port of a workspace",
  description: "Stop sharing a port: only the owner of the workspace can open it then.",
  aliases: ["delete", "rm"],
  arguments: { workspace: agentArgument, port: portArgument },
  flags: { yes: ignoredYesFlag },
  examples: [{ line: "slipway port-shares remove demo 8080", summary: "stop sharing port 8080" }],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const reference = readAgentReference(options.workspace);
  const port = readSharedPort(options.port);
  const client = connect(settings);
  const workspace = await findWorkspace(client, reference.workspace, signal);
  const params = { workspace: workspace.id };
  const shares = (await client.call(listPortShares, { params, signal })).shares ?? [];
  // The workspace may be stopped, or have other agents by now: only the shares are reliable.
  const name = fullName(workspace);
  const { agent_name } = chooseShare(shares, port, reference.agent, name);
  await client.call(unsharePort, { params, body: { agent_name, port }, signal });
  const { err } = terminal;
  err.line(err.colors.green(`port ${port} of ${name}.${agent_name} is not shared any more`));
  return exitCodes.ok;
}

/** Finds the share of a port; without the name of an agent, the only one of that port. */
function chooseShare(
  shares: readonly PortShare[],
  port: number,
  agent: string | undefined,
  name: string,
): PortShare {
  const found = shares.filter(
    (share) => share.port === port && (agent === undefined || share.agent_name === agent),
  );
  const [only, ...more] = found;
  if (only === undefined) {
    throw new CommandError(`port ${port} of ${name} is not shared`, {
      hint: `see what is with: slipway port-shares list ${name}`,
      exitCode: exitCodes.notFound,
    });
  }
  if (more.length === 0) return only;
  const choices = found.map((share) => `${name}.${share.agent_name}`).join(" or ");
  throw new UsageError(`port ${port} of ${name} is shared by several agents: pass ${choices}`);
}
