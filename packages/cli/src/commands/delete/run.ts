import { connect } from "../../command/connect.ts";
import type { OptionsOf } from "../../command/definition.ts";
import { CommandError, UsageError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { beginBuild, queuedText } from "../builds/begin-build.ts";
import { settledWorkspace } from "../builds/settle.ts";
import { waitForBuild } from "../builds/wait-for-build.ts";
import { findWorkspace, fullName } from "../workspace/reference.ts";
import type { command } from "./command.ts";

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const watching = { client: connect(settings), terminal, clock, signal };
  const { err } = terminal;
  if (!options.yes) {
    if (!terminal.interactive) {
      throw new UsageError(
        "there is no terminal to ask on, and --yes is not given",
        "delete without asking: -y",
      );
    }
    const found = await findWorkspace(watching.client, options.workspace, signal);
    const isSure = await terminal.prompts.confirm(
      `Delete ${fullName(found)} and all that is in it?`,
    );
    if (!isSure) throw new CommandError("nothing was deleted");
  }
  const workspace = await settledWorkspace(options.workspace, watching);
  const orphan = options.orphan ? { orphan: true } : {};
  const build = await beginBuild(workspace, { transition: "delete", ...orphan }, watching);
  if (options.noWait) {
    err.line(queuedText(build, workspace));
    return exitCodes.ok;
  }
  await waitForBuild(build, watching);
  err.line(err.colors.green(`${fullName(workspace)} is deleted`));
  return exitCodes.ok;
}
