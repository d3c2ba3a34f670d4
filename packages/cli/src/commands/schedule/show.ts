import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { columnFlag, outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { printList } from "../../command/print-result.ts";
import {
  readWorkspaces,
  searchOf,
  workspaceColumns,
} from "../../resources/workspaces/workspace-list.ts";
import { findWorkspace } from "../../resources/workspaces/workspace-reference.ts";

export const command = defineCommand({
  summary: "show when workspaces start and stop automatically",
  arguments: {
    workspace: {
      summary: "name, owner/name or id of a workspace (default: all of yours)",
      required: false,
      completion: "workspace",
    },
  },
  flags: {
    all: { kind: "switch", short: "a", summary: "include other users' workspaces" },
    search: {
      kind: "text",
      value: "query",
      summary: "only workspaces that match, as in: slipway list",
    },
    column: columnFlag(["workspace", "starts at", "starts next", "stops after", "stops next"]),
    output: outputFlag,
  },
  examples: [
    { line: "slipway schedule show", summary: "your workspaces" },
    { line: "slipway schedule show demo -o json", summary: "one workspace, as JSON" },
  ],
});

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
