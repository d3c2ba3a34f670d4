import { auditActions, type AuditLog, auditResourceTypes } from "@slipway/api/audit/audit-log";
import { listAuditLogs } from "@slipway/api/audit/routes";

import { connect } from "../command/connect.ts";
import { defineCommand, type OptionsOf } from "../command/definition.ts";
import { columnFlag, outputFlag } from "../command/flags.ts";
import type { Needs } from "../command/needs.ts";
import { printList } from "../command/print-result.ts";
import { readPages, searchText } from "../command/search-pages.ts";
import { relativeTime } from "../terminal/relative-time.ts";
import type { Columns } from "../terminal/table.ts";

export const command = defineCommand({
  summary: "show the audit trail, newest first",
  description:
    "Show the audit trail, newest first: who did what to which resource, from which address, and with what " +
    "result. Requires the owner or auditor role. Flags filter the entries; --search takes the server's search " +
    "syntax, such as date_from:2026-01-31.",
  arguments: {},
  flags: {
    user: {
      kind: "text",
      short: "u",
      value: "username",
      summary: "only actions of this user",
      completion: "user",
    },
    action: {
      kind: "text",
      value: "action",
      summary: "only this action, such as create, write, delete or login",
      choices: auditActions,
    },
    resource: {
      kind: "text",
      value: "type",
      summary: "only this resource type, such as workspace, template or user",
      choices: auditResourceTypes,
    },
    target: { kind: "text", value: "name", summary: "only the resource with this name" },
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
        "user",
        "action",
        "resource",
        "target",
        "status",
        "ip",
        "description",
        "id",
        "request id",
      ],
      ["time", "user", "action", "resource", "target", "status", "ip"],
    ),
    output: outputFlag,
  },
  examples: [
    { line: "slipway audit", summary: "newest entries" },
    { line: "slipway audit -u ada --action delete", summary: "deletions by ada" },
    {
      line: "slipway audit --search date_from:2026-01-31 -o json",
      summary: "JSON, with all changes",
    },
  ],
});

type Options = OptionsOf<typeof command>;

export async function run(
  options: Options,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const { user, action, resource, target, search } = options;
  const terms = { username: user, action, resource_type: resource, resource_target: target };
  const q = searchText(terms, search);
  const client = connect(settings);
  const entries = await readPages(options, async (page) => {
    const query = { q, ...page };
    return (await client.call(listAuditLogs, { query, signal })).audit_logs;
  });
  const view = { columns: auditColumns(clock.now()), none: "no entries" };
  return printList(terminal, entries, options, view);
}

/** Columns of entries. `now` is in milliseconds since the epoch. */
function auditColumns(now: number): Columns<AuditLog, Options["column"][number]> {
  return {
    time: ({ time }) => relativeTime(Date.parse(time), now),
    user: ({ user }) => user?.username ?? "-",
    action: ({ action }) => action,
    resource: ({ resource_type }) => resource_type.replaceAll("_", " "),
    target: ({ resource_target }) => resource_target,
    status: ({ status_code }) => String(status_code),
    ip: ({ ip }) => ip || "-",
    description: (entry) => descriptionOf(entry),
    id: ({ id }) => id,
    "request id": ({ request_id }) => request_id,
  };
}

/** Returns the server's description with its placeholders filled in. */
function descriptionOf({ description, user, resource_target }: AuditLog): string {
  return description
    .replaceAll("{user}", () => user?.username ?? "the server")
    .replaceAll("{target}", () => resource_target);
}
