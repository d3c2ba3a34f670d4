import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { needlessYesFlag, noWaitFlag, outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { beginBuild, queuedOutcome } from "../../resources/builds/begin-build.ts";
import { settledWorkspace } from "../../resources/builds/settle.ts";
import { waitForBuild } from "../../resources/builds/wait-for-build.ts";
import { workspacesArgument } from "../../resources/workspaces/argument.ts";
import { eachWorkspace } from "../../resources/workspaces/each-workspace.ts";
import { goodOutcome, plainOutcome, presentWorkspace } from "../../resources/workspaces/outcome.ts";
import { fullName } from "../../resources/workspaces/reference.ts";

export const command = defineCommand({
  summary: "stop a workspace, keeping what its template persists",
  arguments: { workspaces: workspacesArgument },
  flags: {
    yes: needlessYesFlag,
    noWait: noWaitFlag,
    output: outputFlag,
  },
  examples: [
    { line: "slipway stop demo", summary: "wait until it has stopped" },
    { line: "slipway stop demo trial --no-wait", summary: "two workspaces, without waiting" },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  needs: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const { terminal, settings, clock, signal } = needs;
  const watching = { client: connect(settings), terminal, clock, signal };
  return eachWorkspace(options, needs, async (reference) => {
    const workspace = await settledWorkspace(reference, watching);
    if (workspace.latest_build.status === "stopped") {
      return plainOutcome(workspace, `${fullName(workspace)} is already stopped`);
    }
    const build = await beginBuild(workspace, { transition: "stop" }, watching);
    if (options.noWait) return queuedOutcome(workspace, build, watching);
    const done = await waitForBuild(build, watching);
    const present = await presentWorkspace(workspace, done, watching);
    return goodOutcome(present, `${fullName(workspace)} is stopped`);
  });
}
