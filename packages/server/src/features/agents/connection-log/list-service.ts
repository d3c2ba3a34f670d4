import type { ConnectionLog, ConnectionLogsResponse } from "@slipway/api";

import { mayReadAudit } from "../../../platform/auth/rights.ts";
import type { Queryable } from "../../../platform/db/database.ts";
import { forbidden } from "../../../platform/errors/errors.ts";
import type { UserCaller } from "../../../platform/http/caller.ts";
import type { Page } from "../../../platform/http/paging.ts";
import { type ConnectionRow, countConnections, selectConnections } from "./queries.ts";
import type { ConnectionSearch } from "./search.ts";

/** The limit of the count. */
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
  const { id } = caller;
  const own = {
    ...search,
    ...(search.owner === "me" ? { owner: undefined, ownerId: id } : {}),
    ...(search.username === "me" ? { username: undefined, userId: id } : {}),
  };
  const page = { limit: Math.min(limit, maxPageSize), offset };
  const [rows, count] = await Promise.all([
    selectConnections(db, own, page),
    countConnections(db, own, countCap),
  ]);
  return { connection_logs: rows.map(connectionJson), count, count_cap: countCap };
}

function connectionJson(row: ConnectionRow): ConnectionLog {
  return {
    id: row.id,
    connect_time: row.time,
    organization: {
      id: row.organization_id,
      name: row.organization_name,
      display_name: row.organization_display_name,
      icon: row.organization_icon,
    },
    workspace_owner_id: row.owner_id,
    workspace_owner_username: row.owner_name,
    workspace_id: row.workspace_id,
    workspace_name: row.workspace_name,
    agent_name: row.agent_name,
    ...(row.user_id === null || row.username === null
      ? {}
      : { user: { id: row.user_id, username: row.username } }),
    ...(row.ip === null ? {} : { ip: row.ip }),
    type: row.type,
    ssh_info: { connection_id: row.id, ...endOf(row) },
  };
}

function endOf(row: ConnectionRow): Omit<ConnectionLog["ssh_info"], "connection_id"> {
  if (row.disconnected_at === null) return {};
  return {
    disconnect_time: row.disconnected_at,
    ...(row.reason === null || row.reason === "" ? {} : { disconnect_reason: row.reason }),
    ...(row.status_code === null ? {} : { exit_code: row.status_code }),
  };
}
