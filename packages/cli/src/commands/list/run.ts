import { listWorkspaces, type Workspace } from "@slipway/api";
import type { ApiClient } from "@slipway/sdk/http";

import { connect } from "../../command/connect.ts";
import type { OptionsOf } from "../../command/definition.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { printJson } from "../../command/print-json.ts";
import type { command } from "./command.ts";
import { workspaceTable } from "./workspace-table.ts";

type ListOptions = OptionsOf<typeof command>;

/** How many workspaces are asked for at once. */
const pageSize = 100;

export async function run(
  options: ListOptions,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const workspaces = await readAll(connect(settings), searchOf(options), signal);
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

function searchOf({ all, search }: Pick<ListOptions, "all" | "search">): string {
  return [...(all ? [] : ["owner:me"]), ...(search === undefined ? [] : [search])].join(" ");
}

async function readAll(client: ApiClient, q: string, signal: AbortSignal): Promise<Workspace[]> {
  const found: Workspace[] = [];
  for (;;) {
    const query = { q, limit: String(pageSize), offset: String(found.length) };
    const { workspaces, count } = await client.call(listWorkspaces, { query, signal });
    found.push(...workspaces);
    if (workspaces.length === 0 || found.length >= count) return found;
  }
}
