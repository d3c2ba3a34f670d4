import { type AuditLog, listAuditLogs } from "@slipway/api";
import type { ApiClient } from "@slipway/sdk/http";

import { connect } from "../../command/connect.ts";
import type { OptionsOf } from "../../command/definition.ts";
import { UsageError } from "../../command/errors.ts";
import type { Needs } from "../../command/needs.ts";
import { printList } from "../../command/print-list.ts";
import { relativeTime } from "../../terminal/relative-time.ts";
import type { Columns } from "../../terminal/table.ts";
import type { command } from "./command.ts";

type Options = OptionsOf<typeof command>;

const defaultLimit = 50;
/** The maximum number of entries in one response of the server. */
const pageSize = 100;

export async function run(
  options: Options,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const query = { q: searchOf(options), offset: count("--offset", options.offset ?? 0) };
  const limit = count("--limit", options.limit ?? defaultLimit);
  const entries = await readEntries(connect(settings), query, limit, signal);
  const view = { columns: auditColumns(clock.now()), none: "no entries" };
  return printList(terminal, entries, options, view);
}

/** Translates the flags into the server's search syntax. */
function searchOf({ user, action, resource, target, search }: Options): string {
  const terms = [
    ["username", user],
    ["action", action],
    ["resource_type", resource?.replaceAll(/[ -]/g, "_")],
    ["resource_target", target],
  ] as const;
  const words = terms.flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}:"${value.replaceAll('"', "")}"`],
  );
  return [...words, ...(search === undefined ? [] : [search])].join(" ");
}

function count(flag: string, value: number): number {
  if (value >= 0) return value;
  throw new UsageError(`${flag} "${value}" is not a count, wanted 0 or more`);
}

async function readEntries(
  client: ApiClient,
  { q, offset }: { readonly q: string; readonly offset: number },
  limit: number,
  signal: AbortSignal,
): Promise<AuditLog[]> {
  const entries: AuditLog[] = [];
  while (entries.length < limit) {
    const size = Math.min(pageSize, limit - entries.length);
    const query = { q, limit: String(size), offset: String(offset + entries.length) };
    const { audit_logs: page } = await client.call(listAuditLogs, { query, signal });
    entries.push(...page);
    if (page.length < size) break;
  }
  return entries;
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
