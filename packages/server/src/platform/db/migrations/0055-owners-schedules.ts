import { type Kysely, sql } from "kysely";

/** The right of the owners of a template's workspaces to set their own schedules and times to live. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `alter table templates
    add column allow_user_autostart boolean not null default true,
    add column allow_user_autostop boolean not null default true`,
    )
    .execute(db);
}
