import { connect } from "../../command/connect.ts";
import type { OptionsOf } from "../../command/definition.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { printJson } from "../../command/print-json.ts";
import type { command } from "./command.ts";
import { readWorkspaces, searchOf } from "./read-workspaces.ts";
import { workspaceTable } from "./workspace-table.ts";

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const workspaces = await readWorkspaces(connect(settings), searchOf(options), signal);
  if (options.output === "json") {
    printJson(terminal.out, workspaces);
  } else if (workspaces.length === 0) {
    terminal.err.line("no workspaces; make one with: slipway create");
  } else {
    const view = { showOwner: options.all, now: clock.now(), colors: terminal.out.colors };
    for (const line of workspaceTable(workspaces, view)) terminal.out.line(line);
  }
  return exitCodes.ok;
}
