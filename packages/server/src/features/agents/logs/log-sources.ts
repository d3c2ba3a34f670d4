import { sql } from "kysely";

import type { Database, Queryable } from "../../../platform/db/database.ts";
import { storableText } from "../../../platform/fields/storable-text.ts";
import { isLiveAgent } from "../live-queries.ts";

interface NewLogSource {
  readonly id: string;
  readonly displayName: string;
  readonly icon: string;
}

/** The source of lines that name none (docs/protocol/rpc.md §7.7). */
const externalSource = {
  id: "3b579bf4-1ed8-4b99-87a8-e9a1e3410410",
  displayName: "External",
  icon: "/emojis/1f310.png",
};

/** The maximum number of sources that an agent's programs may add. Lines of further sources are still stored. */
const maxSources = 128;
/** The number of characters kept of a source's name (docs/protocol/rest.md §2.4). */
const maxNameLength = 127;

/** Stores a log source of an agent; an existing one stays as it is. */
export async function createLogSource(
  db: Database,
  agentId: string,
  { id, displayName, icon }: NewLogSource,
): Promise<void> {
  const name = storableText(displayName.slice(0, maxNameLength));
  const source = { id, displayName: name, icon: storableText(icon) };
  await insertLogSource(db, agentId, source, maxSources);
}

/** Returns the source of lines that name none, created on first use. */
export async function ensureExternalSource(db: Database, agentId: string): Promise<string> {
  await insertLogSource(db, agentId, externalSource, maxSources + 1);
  return externalSource.id;
}

/** Stores a log source unless it exists, or the agent has `limit` sources or is not live. */
async function insertLogSource(
  db: Queryable,
  agentId: string,
  { id, displayName, icon }: NewLogSource,
  limit: number,
): Promise<void> {
  await sql`
    insert into workspace_agent_log_sources (workspace_agent_id, id, display_name, icon)
      select ${agentId}, ${id}, ${displayName}::text, ${icon}::text
        where (select count(*) from workspace_agent_log_sources where workspace_agent_id = ${agentId})
          < ${limit} and ${isLiveAgent(agentId)}
      on conflict do nothing`.execute(db);
}

/** Returns the display names of an agent's log sources by their ids. */
export async function selectSourceNames(
  db: Queryable,
  agentId: string,
): Promise<ReadonlyMap<string, string>> {
  const sources = await db
    .selectFrom("workspace_agent_log_sources")
    .where("workspace_agent_id", "=", agentId)
    .select(["id", "display_name"])
    .execute();
  return new Map(sources.map((source) => [source.id, source.display_name]));
}
