import { connect } from "../command/connect.ts";
import { defineCommand, type OptionsOf } from "../command/definition.ts";
import { ignoredYesFlag, noWaitFlag, outputFlag } from "../command/flags.ts";
import type { Needs } from "../command/needs.ts";
import {
  beginBuild,
  noteProvisionerLogDebug,
  provisionerLogDebugFlag,
  startWith,
} from "../resources/builds/begin-build.ts";
import { startFlags, startRequest } from "../resources/builds/start-request.ts";
import { settledWorkspace, waitForBuild } from "../resources/builds/wait-for-build.ts";
import { eachWorkspace } from "../resources/workspaces/outcome.ts";
import { workspacesArgument } from "../resources/workspaces/workspace-reference.ts";

export const command = defineCommand({
  summary: "restart a workspace",
  arguments: { workspaces: workspacesArgument },
  flags: {
    yes: ignoredYesFlag,
    ...startFlags,
    noWait: { ...noWaitFlag, summary: "return as soon as the start is queued" },
    provisionerLogDebug: provisionerLogDebugFlag,
    output: outputFlag,
  },
  examples: [
    { line: "slipway restart demo", summary: "with the same version" },
    { line: "slipway restart demo --update", summary: "with the template's active version" },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  needs: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const { terminal, settings, clock, signal } = needs;
  noteProvisionerLogDebug(options, terminal);
  const clientNeeds = { client: connect(settings), terminal, clock, signal };
  return eachWorkspace(options, needs, async (reference) => {
    const workspace = await settledWorkspace(reference, clientNeeds);
    // Built before anything is stopped, so that a wrong parameter stops nothing.
    const request = await startRequest(workspace, options, clientNeeds);
    if (workspace.latest_build.status !== "stopped") {
      await waitForBuild(
        await beginBuild(workspace, { transition: "stop" }, clientNeeds),
        clientNeeds,
      );
    }
    return startWith(request, workspace, options, clientNeeds);
  });
}
