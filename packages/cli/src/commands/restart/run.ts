import { connect } from "../../command/connect.ts";
import type { OptionsOf } from "../../command/definition.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { beginBuild, queuedText, waitForStart } from "../builds/begin-build.ts";
import { settledWorkspace } from "../builds/settle.ts";
import { waitForBuild } from "../builds/wait-for-build.ts";
import { startRequest } from "../start/request.ts";
import type { command } from "./command.ts";

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const watching = { client: connect(settings), terminal, clock, signal };
  const workspace = await settledWorkspace(options.workspace, watching);
  // Made before anything is stopped, so that a wrong parameter stops nothing.
  const request = await startRequest(workspace, options, { ...watching, terminal });
  if (workspace.latest_build.status !== "stopped") {
    await waitForBuild(await beginBuild(workspace, { transition: "stop" }, watching), watching);
  }
  const build = await beginBuild(workspace, request, watching);
  if (options.noWait) terminal.err.line(queuedText(build, workspace));
  else await waitForStart(build, watching);
  return exitCodes.ok;
}
