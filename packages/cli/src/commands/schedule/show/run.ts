import { connect } from "../../../command/connect.ts";
import type { OptionsOf } from "../../../command/definition.ts";
import type { Needs } from "../../../command/needs.ts";
import { printList } from "../../../command/print-list.ts";
import { readWorkspaces, searchOf } from "../../../resources/workspaces/read-workspaces.ts";
import { findWorkspace } from "../../../resources/workspaces/reference.ts";
import { workspaceColumns } from "../../../resources/workspaces/workspace-columns.ts";
import type { command } from "./command.ts";

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const client = connect(settings);
  const workspaces =
    options.workspace === undefined
      ? await readWorkspaces(client, searchOf(options), signal)
      : [await findWorkspace(client, options.workspace, signal)];
  const view = { showOwner: true, now: clock.now(), colors: terminal.out.colors };
  const columns = workspaceColumns(view);
  return printList(terminal, workspaces, options, { columns, none: "no workspaces" });
}
