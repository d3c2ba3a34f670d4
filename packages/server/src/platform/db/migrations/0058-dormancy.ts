import { type Kysely, sql } from "kysely";

/** The time after which a template's workspaces are dormant if they are not used; 0: never. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `alter table templates
    add column time_til_dormant_ms bigint not null default 0 check (time_til_dormant_ms >= 0)`,
    )
    .execute(db);
}
