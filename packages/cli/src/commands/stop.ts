import { revokeExternalAgentTokens } from "@slipway/api/workspaces/external-agent-routes";

import { connect } from "../command/connect.ts";
import { defineCommand, type OptionsOf } from "../command/definition.ts";
import { UsageError } from "../command/errors.ts";
import { ignoredYesFlag, noWaitFlag, outputFlag } from "../command/flags.ts";
import type { ClientNeeds, Needs } from "../command/needs.ts";
import {
  beginBuild,
  noteProvisionerLogDebug,
  provisionerLogDebugFlag,
  queuedOutcome,
} from "../resources/builds/begin-build.ts";
import { settledWorkspace, waitForBuild } from "../resources/builds/wait-for-build.ts";
import {
  eachWorkspace,
  goodOutcome,
  plainOutcome,
  presentWorkspace,
} from "../resources/workspaces/outcome.ts";
import { fullName, workspacesArgument } from "../resources/workspaces/workspace-reference.ts";

export const command = defineCommand({
  summary: "stop a workspace, keeping what its template persists",
  arguments: { workspaces: workspacesArgument },
  flags: {
    yes: ignoredYesFlag,
    revokeTokens: {
      kind: "switch",
      summary: "revoke the tokens of agents that you start yourself; the next start creates others",
    },
    noWait: noWaitFlag,
    provisionerLogDebug: provisionerLogDebugFlag,
    output: outputFlag,
  },
  examples: [
    { line: "slipway stop demo", summary: "wait until it has stopped" },
    { line: "slipway stop box --revoke-tokens", summary: "of agents that run elsewhere" },
    { line: "slipway stop demo trial --no-wait", summary: "two workspaces, without waiting" },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  needs: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  if (options.noWait && options.revokeTokens) {
    throw new UsageError(
      "--revoke-tokens and --no-wait exclude each other",
      "tokens are revoked once the workspace is stopped",
    );
  }
  const { terminal, settings, clock, signal } = needs;
  noteProvisionerLogDebug(options, terminal);
  const clientNeeds = { client: connect(settings), terminal, clock, signal };
  return eachWorkspace(options, needs, async (reference) => {
    const workspace = await settledWorkspace(reference, clientNeeds);
    if (workspace.latest_build.status === "stopped") {
      if (options.revokeTokens) await revokeTokens(workspace.id, clientNeeds);
      return plainOutcome(workspace, `${fullName(workspace)} is already stopped`);
    }
    const build = await beginBuild(workspace, { transition: "stop" }, clientNeeds);
    if (options.noWait) return queuedOutcome(workspace, build, clientNeeds);
    const done = await waitForBuild(build, clientNeeds);
    if (options.revokeTokens) await revokeTokens(workspace.id, clientNeeds);
    const present = await presentWorkspace(workspace, done, clientNeeds);
    return goodOutcome(present, `${fullName(workspace)} is stopped`);
  });
}

async function revokeTokens(
  workspace: string,
  { client, signal }: Pick<ClientNeeds, "client" | "signal">,
): Promise<void> {
  await client.call(revokeExternalAgentTokens, { params: { workspace }, signal });
}
