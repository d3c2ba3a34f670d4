import { type Kysely, sql } from "kysely";

/** When the newest session of an agent began; those of older replicas do not say (docs/claims.md). */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw("alter table workspace_agents add column connected_at timestamptz").execute(db);
}
