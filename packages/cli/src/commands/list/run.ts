import { connect } from "../../command/connect.ts";
import type { OptionsOf } from "../../command/definition.ts";
import type { Needs } from "../../command/needs.ts";
import { printList } from "../../command/print-list.ts";
import { readWorkspaces, searchOf } from "../../resources/workspaces/read-workspaces.ts";
import { workspaceColumns } from "../../resources/workspaces/workspace-columns.ts";
import type { command } from "./command.ts";

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const query = searchOf(options);
  const workspaces = await readWorkspaces(connect(settings), query, signal);
  const showOwner = options.all || options.search !== undefined;
  const columns = workspaceColumns({ showOwner, now: clock.now(), colors: terminal.out.colors });
  const none = query.includes("owner:me")
    ? "no workspaces; create one with: slipway create"
    : "no workspaces";
  return printList(terminal, workspaces, options, { columns, none });
}
