import { type Kysely, sql } from "kysely";

/**
 * A claim changes the workspace, and then inserts a build, whose trigger derives the row as well: the trigger of the
 * workspace leaves it to that one. Only a build of a later command counts, so that no change is missed if a transaction
 * makes its triggers immediate.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `create or replace function state_follows_workspace() returns trigger language plpgsql as $$
      begin
        if not exists (
          select from workspaces workspace
            join workspace_builds build on build.workspace_id = workspace.id
            where workspace.id = new.id and workspace.xmin = pg_current_xact_id()::xid
              and build.xmin = workspace.xmin
              and build.cmin::text::bigint > workspace.cmin::text::bigint) then
          perform refresh_workspace_state(new.id);
        end if;
        return null;
      end $$`,
    )
    .execute(db);
}
