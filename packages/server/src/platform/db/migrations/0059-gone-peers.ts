import { type Kysely, sql } from "kysely";

/** Whether a lost peer closed its connection itself, as that of a process which was killed is closed. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table tailnet_peers add column is_gone boolean not null default false`.execute(
    db,
  );
}
