import { type Kysely, sql } from "kysely";

/** The mark of a lost peer that closed its connection itself, as the system does for a killed process. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table tailnet_peers add column is_gone boolean not null default false`.execute(
    db,
  );
}
