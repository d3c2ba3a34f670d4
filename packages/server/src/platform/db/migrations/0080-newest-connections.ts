import { type Kysely, sql } from "kysely";

/** The newest connections of a workspace are read by this index, from each of its agents. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index workspace_connections_newest
    on workspace_connections (workspace_agent_id, (coalesce(connected_at, disconnected_at)) desc)`.execute(
    db,
  );
}
