import { type Kysely, sql } from "kysely";

/** How far the clock of an agent's machine is ahead, as its reports tell, in milliseconds (docs/claims.md). */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw("alter table workspace_agents add column clock_ahead_ms double precision")
    .execute(db);
}
