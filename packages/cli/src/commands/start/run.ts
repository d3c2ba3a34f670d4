import { connect } from "../../command/connect.ts";
import type { OptionsOf } from "../../command/definition.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { beginBuild, queuedText, waitForStart } from "../builds/begin-build.ts";
import { settledWorkspace } from "../builds/settle.ts";
import { fullName } from "../workspace/reference.ts";
import type { command } from "./command.ts";
import { hasChanges, startRequest } from "./request.ts";

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const watching = { client: connect(settings), terminal, clock, signal };
  const workspace = await settledWorkspace(options.workspace, watching);
  if (workspace.latest_build.status === "running" && !hasChanges(options)) {
    terminal.err.line(`${fullName(workspace)} is running already`);
    return exitCodes.ok;
  }
  const request = await startRequest(workspace, options, { ...watching, terminal });
  const build = await beginBuild(workspace, request, watching);
  if (options.noWait) terminal.err.line(queuedText(build, workspace));
  else await waitForStart(build, watching);
  return exitCodes.ok;
}
