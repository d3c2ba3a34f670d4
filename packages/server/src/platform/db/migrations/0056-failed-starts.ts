import { type Kysely, sql } from "kysely";

/** The time after which a template's workspaces are stopped if their start failed; 0: never. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `alter table templates
    add column failure_ttl_ms bigint not null default 0 check (failure_ttl_ms >= 0)`,
    )
    .execute(db);
}
