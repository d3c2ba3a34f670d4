import { type Kysely, sql } from "kysely";

/** The reason why an agent ended outside of a build, as its driver reported it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(`alter table workspace_agents add column end_detail text`).execute(db);
}
