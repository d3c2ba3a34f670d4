import { type Kysely, sql } from "kysely";

/** The cleanup finds old lines of build logs by their age. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(`create index job_logs_time on job_logs (created_at)`).execute(db);
}
