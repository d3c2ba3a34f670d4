import { sql } from "kysely";

import type { Queryable } from "../db/database.ts";
import { isLiveAgent } from "./live-queries.ts";

interface NewAppStatus {
  readonly agentId: string;
  readonly slug: string;
  readonly state: string;
  readonly message: string;
  readonly uri: string;
}

/** Keeps what an app says of itself; false when the agent has no such app or is not live. */
export async function insertAppStatus(db: Queryable, report: NewAppStatus): Promise<boolean> {
  const { numAffectedRows } = await sql`
    insert into workspace_app_statuses (workspace_app_id, state, message, uri)
      select id, ${report.state}::text, ${report.message}::text, ${report.uri}::text
        from workspace_apps
        where workspace_agent_id = ${report.agentId} and slug = ${report.slug}
          and ${isLiveAgent(report.agentId)}`.execute(db);
  return numAffectedRows === 1n;
}
