import { type PortShare, sharePort } from "@slipway/api";

import { connect } from "../../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../../command/definition.ts";
import { exitCodes } from "../../../command/exit-codes.ts";
import { outputFlag } from "../../../command/flags.ts";
import type { Needs } from "../../../command/needs.ts";
import { printJson } from "../../../command/print-json.ts";
import { type AppPlace, portUrl } from "../../../resources/applications/app-url.ts";
import { findRegion, primaryRegion } from "../../../resources/applications/find-region.ts";
import { portArgument, readSharedPort } from "../../../resources/applications/port-argument.ts";
import { agentArgument } from "../../../resources/network/agent-arguments.ts";
import { readAgentReference } from "../../../resources/network/agent-reference.ts";
import { chooseAgent } from "../../../resources/network/choose-agent.ts";
import { runningWorkspace } from "../../../resources/network/running-workspace.ts";
import { fullName } from "../../../resources/workspaces/workspace-reference.ts";

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
  const place: AppPlace = { workspace, region: await findRegion(client, primaryRegion, signal) };
  const url = portUrl(share, place);
  if (url !== undefined) out.line(url);
  else err.line(err.colors.yellow(`it has no URL: ${noUrlReason(place)}`));
  return exitCodes.ok;
}

function noUrlReason({ region }: AppPlace): string {
  return region.wildcard_hostname === ""
    ? "the server has no wildcard host name for ports (SLIPWAY_WILDCARD_ACCESS_URL)"
    : "host names tell ports from 1000 only";
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
