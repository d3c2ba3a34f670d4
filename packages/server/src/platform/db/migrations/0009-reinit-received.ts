import { type Kysely, sql } from "kysely";

/** When a process that was told to start over was first seen to do so (docs/claims.md). */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw("alter table workspace_agents add column reinit_received_at timestamptz")
    .execute(db);
}
