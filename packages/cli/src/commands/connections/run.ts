import { type ConnectionLog, listConnectionLogs } from "@slipway/api";
import { durationText } from "@slipway/runtime";

import { connect } from "../../command/connect.ts";
import type { OptionsOf } from "../../command/definition.ts";
import type { Needs } from "../../command/needs.ts";
import { printList } from "../../command/print-list.ts";
import { readPages, searchText } from "../../command/search-pages.ts";
import { findWorkspace } from "../../resources/workspaces/workspace-reference.ts";
import { relativeTime } from "../../terminal/relative-time.ts";
import type { Columns } from "../../terminal/table.ts";
import type { command } from "./command.ts";

type Options = OptionsOf<typeof command>;

export async function run(
  options: Options,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const { name, type, status, search } = options;
  const client = connect(settings);
  const named = name === undefined ? undefined : await findWorkspace(client, name, signal);
  const { user = named?.owner_name, workspace = named?.name } = options;
  const q = searchText({ workspace_owner: user, workspace, type, status }, search);
  const entries = await readPages(options, async (page) => {
    const query = { q, ...page };
    return (await client.call(listConnectionLogs, { query, signal })).connection_logs;
  });
  const view = { columns: connectionColumns(clock.now()), none: "no connections" };
  return printList(terminal, entries, options, view);
}

/** Columns of connections. `now` is in milliseconds since the epoch. */
function connectionColumns(now: number): Columns<ConnectionLog, Options["column"][number]> {
  return {
    time: ({ connect_time }) => relativeTime(Date.parse(connect_time), now),
    owner: ({ workspace_owner_username }) => workspace_owner_username,
    workspace: ({ workspace_name }) => workspace_name,
    agent: ({ agent_name }) => agent_name,
    type: ({ type }) => type.replaceAll("_", " "),
    user: ({ user }) => user?.username ?? "unknown",
    address: ({ ip }) => ip ?? "unknown",
    duration: durationCell,
    "exit code": ({ ssh_info: { exit_code } }) => String(exit_code ?? "-"),
    reason: ({ ssh_info: { disconnect_reason } }) => disconnect_reason ?? "-",
    id: ({ id }) => id,
  };
}

function durationCell({ connect_time, ssh_info: { disconnect_time } }: ConnectionLog): string {
  if (disconnect_time === undefined) return "ongoing";
  return durationText(Date.parse(disconnect_time) - Date.parse(connect_time));
}
