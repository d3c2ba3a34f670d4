import { type AuditLog, listAuditLogs } from "@slipway/api";

import { connect } from "../../command/connect.ts";
import type { OptionsOf } from "../../command/definition.ts";
import type { Needs } from "../../command/needs.ts";
import { printList } from "../../command/print-list.ts";
import { readPages, searchText } from "../../command/search-pages.ts";
import { relativeTime } from "../../terminal/relative-time.ts";
import type { Columns } from "../../terminal/table.ts";
import type { command } from "./command.ts";

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
