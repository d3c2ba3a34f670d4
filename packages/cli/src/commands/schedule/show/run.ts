import { connect } from "../../../command/connect.ts";
import type { OptionsOf } from "../../../command/definition.ts";
import { exitCodes } from "../../../command/exit-codes.ts";
import type { Needs } from "../../../command/needs.ts";
import { printJson } from "../../../command/print-json.ts";
import { readWorkspaces, searchOf } from "../../list/read-workspaces.ts";
import { findWorkspace } from "../../workspace/reference.ts";
import type { command } from "./command.ts";
import { scheduleTable } from "./schedule-table.ts";

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const client = connect(settings);
  const workspaces =
    options.workspace === undefined
      ? await readWorkspaces(client, searchOf(options), signal)
      : [await findWorkspace(client, options.workspace, signal)];
  if (options.output === "json") {
    printJson(terminal.out, workspaces);
  } else if (workspaces.length === 0) {
    terminal.err.line("no workspaces; make one with: slipway create");
  } else {
    const lines = scheduleTable(workspaces, clock.now(), terminal.out.colors);
    for (const line of lines) terminal.out.line(line);
  }
  return exitCodes.ok;
}
