import { type Kysely, sql } from "kysely";

/** Entries of the audit trail that one transaction or statement inserts keep their order. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw("alter table audit_log alter column created_at set default clock_timestamp()")
    .execute(db);
}
