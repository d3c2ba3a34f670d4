import { sql } from "kysely";

import type { Queryable } from "../../../platform/db/database.ts";
import { isLiveAgent } from "../live-queries.ts";

export interface NewLogSource {
  readonly id: string;
  readonly displayName: string;
  readonly icon: string;
}

/** Stores a log source, unless it exists, the agent has `maxSources`, or is not live. */
export async function insertLogSource(
  db: Queryable,
  agentId: string,
  { id, displayName, icon }: NewLogSource,
  maxSources: number,
): Promise<void> {
  await sql`
    insert into workspace_agent_log_sources (workspace_agent_id, id, display_name, icon)
      select ${agentId}, ${id}, ${displayName}::text, ${icon}::text
        where (select count(*) from workspace_agent_log_sources where workspace_agent_id = ${agentId})
          < ${maxSources} and ${isLiveAgent(agentId)}
      on conflict do nothing`.execute(db);
}
