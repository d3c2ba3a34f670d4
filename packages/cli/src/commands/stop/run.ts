import { connect } from "../../command/connect.ts";
import type { OptionsOf } from "../../command/definition.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { beginBuild, queuedText } from "../builds/begin-build.ts";
import { settledWorkspace } from "../builds/settle.ts";
import { waitForBuild } from "../builds/wait-for-build.ts";
import { fullName } from "../workspace/reference.ts";
import type { command } from "./command.ts";

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const watching = { client: connect(settings), terminal, clock, signal };
  const { err } = terminal;
  const workspace = await settledWorkspace(options.workspace, watching);
  if (workspace.latest_build.status === "stopped") {
    err.line(`${fullName(workspace)} is stopped already`);
    return exitCodes.ok;
  }
  const build = await beginBuild(workspace, { transition: "stop" }, watching);
  if (options.noWait) {
    err.line(queuedText(build, workspace));
    return exitCodes.ok;
  }
  await waitForBuild(build, watching);
  err.line(err.colors.green(`${fullName(workspace)} is stopped`));
  return exitCodes.ok;
}
