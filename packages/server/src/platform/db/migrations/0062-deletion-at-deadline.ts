import { type Kysely, sql } from "kysely";

/** What happens to a workspace at its deadline. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `alter table workspaces
    add column on_deadline text not null default 'stop' check (on_deadline in ('stop', 'delete'))`,
    )
    .execute(db);
}
