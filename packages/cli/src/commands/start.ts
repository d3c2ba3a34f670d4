import { connect } from "../command/connect.ts";
import { defineCommand, type OptionsOf } from "../command/definition.ts";
import { ignoredYesFlag, noWaitFlag, outputFlag } from "../command/flags.ts";
import type { Needs } from "../command/needs.ts";
import {
  noteProvisionerLogDebug,
  provisionerLogDebugFlag,
  startWith,
} from "../resources/builds/begin-build.ts";
import { hasChanges, startFlags, startRequest } from "../resources/builds/start-request.ts";
import { settledWorkspace } from "../resources/builds/wait-for-build.ts";
import { eachWorkspace, plainOutcome } from "../resources/workspaces/outcome.ts";
import { fullName, workspacesArgument } from "../resources/workspaces/workspace-reference.ts";

export const command = defineCommand({
  summary: "start a workspace",
  arguments: { workspaces: workspacesArgument },
  flags: {
    yes: ignoredYesFlag,
    ...startFlags,
    noWait: noWaitFlag,
    provisionerLogDebug: provisionerLogDebugFlag,
    output: outputFlag,
  },
  examples: [
    { line: "slipway start demo", summary: "with the same version" },
    {
      line: "slipway start demo --update --parameter size=large",
      summary: "with the active version and a new parameter value",
    },
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
    if (workspace.latest_build.status === "running" && !hasChanges(options)) {
      return plainOutcome(workspace, `${fullName(workspace)} is already running`);
    }
    const request = await startRequest(workspace, options, clientNeeds);
    return startWith(request, workspace, options, clientNeeds);
  });
}
