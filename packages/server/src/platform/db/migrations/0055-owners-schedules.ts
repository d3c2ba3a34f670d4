import { type Kysely, sql } from "kysely";

/** Whether the owners of a template's workspaces may set schedules and times to live of their own. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `alter table templates
    add column allow_user_autostart boolean not null default true,
    add column allow_user_autostop boolean not null default true`,
    )
    .execute(db);
}
