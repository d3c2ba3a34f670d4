import { type Kysely, sql } from "kysely";

/** Sessions and tokens say who made them for somebody else; null for those that their user made. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(`alter table api_keys add column created_by uuid references users (id)`)
    .execute(db);
}
