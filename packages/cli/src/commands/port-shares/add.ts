import { type AppRegion, portUrl, primaryRegion } from "@slipway/api/workspaces/app-url";
import { type PortShare, sharePort } from "@slipway/api/workspaces/port-share-routes";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { CommandError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { printJson } from "../../command/print-result.ts";
import { findRegion } from "../../resources/applications/find-region.ts";
import { portArgument, readSharedPort } from "../../resources/applications/port-argument.ts";
import {
  agentArgument,
  chooseAgent,
  readAgentReference,
} from "../../resources/network/agent-reference.ts";
import { runningWorkspace } from "../../resources/network/running-workspace.ts";
import { fullName } from "../../resources/workspaces/workspace-reference.ts";

export const command = defineCommand({
  summary: "share a port of a workspace, or change how it is shared",
  description:
    "Let other users open a port of a workspace in their browsers: all users who are logged in (authenticated), those of " +
    "the workspace's organization, or anyone who knows the URL (public). The workspace must be running. The share stays " +
    "until it is removed or the workspace is deleted.",
  aliases: ["set"],
  arguments: { workspace: agentArgument, port: portArgument },
  flags: {
    level: {
      kind: "choice",
      short: "l",
      choices: ["authenticated", "organization", "public"],
      summary: "users who can open the port",
    },
    protocol: {
      kind: "choice",
      choices: ["http", "https"],
      summary: "protocol that the program on the port speaks",
    },
    output: outputFlag,
  },
  examples: [
    { line: "slipway port-shares add demo 8080", summary: "for all users who are logged in" },
    {
      line: "slipway port-shares add demo 8080 --level public",
      summary: "for anyone with the URL",
    },
    {
      line: "slipway port-shares add ada/demo.main 8443 --protocol https",
      summary: "a port of one agent, whose program speaks HTTPS",
    },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const reference = readAgentReference(options.workspace);
  const port = readSharedPort(options.port);
  const client = connect(settings);
  const needs = { client, terminal, clock, signal };
  const region = await findRegion(client, primaryRegion, signal);
  requireWildcard(region);
  const workspace = await runningWorkspace(reference.workspace, { autostart: false }, needs);
  const agent = chooseAgent(workspace, reference.agent);
  const { level: share_level, protocol } = options;
  const params = { workspace: workspace.id };
  const body = { agent_name: agent.name, port, share_level, protocol };
  const share = await client.call(sharePort, { params, body, signal });
  if (options.output === "json") {
    printJson(terminal.out, share);
    return exitCodes.ok;
  }
  const { err, out } = terminal;
  const name = `${fullName(workspace)}.${agent.name}`;
  err.line(err.colors.green(`port ${port} of ${name} is shared: ${audience(share)}`));
  const url = portUrl(share, { workspace, region });
  if (url !== undefined) out.line(url);
  else err.line(err.colors.yellow("it has no URL: host names tell ports from 1000 only"));
  return exitCodes.ok;
}

/** Throws before anything is shared if no browser could open it. */
function requireWildcard({ wildcard_hostname }: AppRegion): void {
  if (wildcard_hostname !== "") return;
  throw new CommandError("this server has no host names for ports, so nothing was shared", {
    hint: "its administrator sets them with SLIPWAY_WILDCARD_ACCESS_URL; slipway port-forward needs none",
  });
}

function audience({ share_level }: Pick<PortShare, "share_level">): string {
  switch (share_level) {
    case "owner":
      return "only its owner can open it";
    case "organization":
      return "users of the organization can open it";
    case "authenticated":
      return "all users who are logged in can open it";
    case "public":
      return "anyone with the URL can open it";
  }
}
