import { type Kysely, sql } from "kysely";

/** The creators of sessions and tokens for other users; null for those that their user created. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(`alter table api_keys add column created_by uuid references users (id)`)
    .execute(db);
}
