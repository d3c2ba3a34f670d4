import { type Kysely, sql } from "kysely";

/** The time at which a process that was told to restart first reported doing so (docs/claims.md). */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw("alter table workspace_agents add column reinit_received_at timestamptz")
    .execute(db);
}
