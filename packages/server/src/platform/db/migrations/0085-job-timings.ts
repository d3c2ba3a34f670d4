import { type Kysely, sql } from "kysely";

/** The durations of a job's stages and of their longest steps, counted from the end of the job. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table job_timings (
    job_id uuid primary key references jobs (id) on delete cascade,
    timings jsonb not null
  )`.execute(db);
}
