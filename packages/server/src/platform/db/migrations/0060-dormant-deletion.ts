import { type Kysely, sql } from "kysely";

/**
 * The time after which a template's dormant workspaces are deleted, 0 for never, and when that was set; and the
 * beginning of the last day of a workspace, at which its owner is told.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `alter table templates
    add column time_til_dormant_autodelete_ms bigint not null default 0 check (time_til_dormant_autodelete_ms >= 0),
    add column dormant_autodelete_set_at timestamptz not null default now()`,
    )
    .execute(db);
  await sql.raw("alter table workspaces add column last_day_at timestamptz").execute(db);
}
