import { type Kysely, sql } from "kysely";

/** The start of an agent's newest session; older replicas do not record it (docs/claims.md). */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw("alter table workspace_agents add column connected_at timestamptz").execute(db);
}
