import { connect } from "../../command/connect.ts";
import type { OptionsOf } from "../../command/definition.ts";
import type { Needs } from "../../command/needs.ts";
import { beginBuild, queuedOutcome, waitForStart } from "../builds/begin-build.ts";
import { settledWorkspace } from "../builds/settle.ts";
import { eachWorkspace } from "../workspace/each-workspace.ts";
import { plainOutcome } from "../workspace/outcome.ts";
import { fullName } from "../workspace/reference.ts";
import type { command } from "./command.ts";
import { hasChanges, startRequest } from "./request.ts";

export async function run(
  options: OptionsOf<typeof command>,
  needs: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const { terminal, settings, clock, signal } = needs;
  const watching = { client: connect(settings), terminal, clock, signal };
  return eachWorkspace(options, needs, async (reference) => {
    const workspace = await settledWorkspace(reference, watching);
    if (workspace.latest_build.status === "running" && !hasChanges(options)) {
      return plainOutcome(workspace, `${fullName(workspace)} is already running`);
    }
    const request = await startRequest(workspace, options, watching);
    const build = await beginBuild(workspace, request, watching);
    return options.noWait
      ? queuedOutcome(workspace, build, watching)
      : waitForStart(workspace, build, watching);
  });
}
