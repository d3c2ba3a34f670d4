import {
  type ConnectionLog,
  connectionStatuses,
  connectionTypes,
  listConnectionLogs,
} from "@slipway/api/agents/connection-log-routes";
import { durationText } from "@slipway/runtime";

import { connect } from "../command/connect.ts";
import { defineCommand, type OptionsOf } from "../command/definition.ts";
import { columnFlag, outputFlag } from "../command/flags.ts";
import type { Needs } from "../command/needs.ts";
import { printList } from "../command/print-result.ts";
import { readPages, searchText } from "../command/search-pages.ts";
import { findWorkspace } from "../resources/workspaces/workspace-reference.ts";
import { relativeTime } from "../terminal/relative-time.ts";
import type { Columns } from "../terminal/table.ts";

export const command = defineCommand({
  summary: "show connections to workspaces, newest first",
  description:
    "Show connections to workspaces, newest first, each with its agent, type, user, address, duration and result. The " +
    "address is the one from which the server saw the user connect. Requires the owner or auditor role. Flags filter the " +
    "entries; --search takes the server's search syntax, such as username:ada or connected_after:2026-01-31.",
  arguments: {
    name: {
      summary: "name, owner/name or id of a workspace (default: all workspaces)",
      required: false,
      completion: "workspace",
    },
  },
  flags: {
    user: {
      kind: "text",
      short: "u",
      value: "username",
      summary: "only workspaces of this user",
      completion: "user",
    },
    workspace: {
      kind: "text",
      short: "w",
      value: "name",
      summary: "only workspaces of this name, deleted ones too",
    },
    type: {
      kind: "text",
      value: "type",
      summary: "only this type: ssh, vscode, jetbrains or reconnecting_pty",
      choices: connectionTypes,
    },
    status: {
      kind: "text",
      value: "status",
      summary: "only ongoing or completed connections",
      choices: connectionStatuses,
    },
    search: { kind: "text", value: "query", summary: "filter in the server's search syntax" },
    limit: {
      kind: "integer",
      short: "l",
      value: "count",
      summary: "maximum number of entries (default: 50)",
    },
    offset: { kind: "integer", value: "count", summary: "number of newer entries to skip" },
    column: columnFlag(
      [
        "time",
        "owner",
        "workspace",
        "agent",
        "type",
        "user",
        "address",
        "duration",
        "exit code",
        "reason",
        "id",
      ],
      ["time", "owner", "workspace", "agent", "type", "user", "address", "duration", "exit code"],
    ),
    output: outputFlag,
  },
  examples: [
    { line: "slipway connections", summary: "newest connections" },
    { line: "slipway connections demo", summary: "those to your workspace demo" },
    {
      line: "slipway connections -u ada --status ongoing",
      summary: "open ones to ada's workspaces",
    },
    { line: "slipway connections --search connected_after:2026-01-31 -o json", summary: "JSON" },
  ],
});

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
