import { sql } from "kysely";

import type { Queryable } from "../../../platform/db/database.ts";
import { isLiveAgent } from "../live-queries.ts";

interface NewAppStatus {
  readonly agentId: string;
  readonly slug: string;
  readonly state: string;
  readonly message: string;
  readonly uri: string;
}

/** The number of newest statuses stored for an app: as many as are ever shown. */
const maxStatuses = 100;

/** Stores an app's status; false when the agent has no such app or is not live. */
export async function insertAppStatus(db: Queryable, report: NewAppStatus): Promise<boolean> {
  const { rows } = await sql<{ workspace_app_id: string }>`
    insert into workspace_app_statuses (workspace_app_id, state, message, uri)
      select id, ${report.state}::text, ${report.message}::text, ${report.uri}::text
        from workspace_apps
        where workspace_agent_id = ${report.agentId} and slug = ${report.slug}
          and ${isLiveAgent(report.agentId)}
      returning workspace_app_id`.execute(db);
  const [row] = rows;
  if (row !== undefined) await deleteOldStatuses(db, row.workspace_app_id);
  return row !== undefined;
}

async function deleteOldStatuses(db: Queryable, appId: string): Promise<void> {
  await sql`
    delete from workspace_app_statuses where id = any(array(
      select id from workspace_app_statuses where workspace_app_id = ${appId}
        order by created_at desc, id desc offset ${maxStatuses}))`.execute(db);
}
