import { type Kysely, sql } from "kysely";

/** The changes that migration 0008 hints at concern the pools of any preset: the topic `prebuilds:*` stands for all. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `create or replace function hint_prebuilds() returns trigger language plpgsql as $$
      begin
        perform pg_notify('slipway', E'\\nprebuilds:*');
        return null;
      end $$`,
    )
    .execute(db);
}
