import {
  type ConnectionLogsResponse,
  listConnectionLogs,
} from "@slipway/api/agents/connection-log-routes";

import { mayReadAudit } from "../../../platform/auth/rights.ts";
import type { Queryable } from "../../../platform/db/database.ts";
import { forbidden } from "../../../platform/errors/errors.ts";
import { type Page, readPage } from "../../../platform/fields/paging.ts";
import type { UserCaller } from "../../../platform/http/caller.ts";
import type { Routes } from "../../../platform/http/routes.ts";
import { connectionJson, countConnections, selectConnections } from "./connection-log-queries.ts";
import { type ConnectionSearch, parseConnectionSearch, searchOf } from "./connection-search.ts";

/** Adds the route that lists the connections to agents. */
export function addConnectionLogRoutes(routes: Routes, db: Queryable): void {
  routes.user(listConnectionLogs, ({ query }, user) =>
    listConnections(db, user, parseConnectionSearch(query.q ?? ""), readPage(query)),
  );
}

/** The maximum number of connections that are counted. */
const countCap = 2000;
/** The maximum and default number of entries per page. */
const maxPageSize = 100;

/** Returns a page of the connections to agents; throws `Forbidden` for callers who may not read the audit trail. */
export async function listConnections(
  db: Queryable,
  caller: UserCaller,
  search: ConnectionSearch,
  { limit = maxPageSize, offset }: Page,
): Promise<ConnectionLogsResponse> {
  if (!mayReadAudit(caller)) throw forbidden("Only owners and auditors can read connections.");
  const own = searchOf(search, caller.id);
  const page = { limit: Math.min(limit, maxPageSize), offset };
  const [rows, count] = await Promise.all([
    selectConnections(db, own, page),
    countConnections(db, own, countCap),
  ]);
  return { connection_logs: rows.map(connectionJson), count, count_cap: countCap };
}
