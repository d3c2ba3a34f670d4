import { type Kysely, sql } from "kysely";

/**
 * The time by which the clock of an agent's machine is ahead, derived from its reports, in milliseconds
 * (docs/claims.md).
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw("alter table workspace_agents add column clock_ahead_ms double precision")
    .execute(db);
}
