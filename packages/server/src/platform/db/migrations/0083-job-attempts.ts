import { type Kysely, sql } from "kysely";

/** The number of times that a job was acquired: what an earlier attempt still writes is refused. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table jobs add column attempt integer not null default 0`.execute(db);
}
