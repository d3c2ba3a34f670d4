import { type Kysely, sql } from "kysely";

/** The nights in which a template's running workspaces stop; without days, none. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `alter table templates
    add column autostop_days text[] not null default '{}' check (autostop_days <@
      array['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday']),
    add column autostop_weeks integer not null default 1 check (autostop_weeks between 1 and 16)`,
    )
    .execute(db);
}
