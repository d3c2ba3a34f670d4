import { type Kysely, sql } from "kysely";

/** The dev containers of templates: scripts whose run is the creation of a container. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `create table workspace_agent_devcontainers (
        script_id uuid primary key references workspace_agent_scripts (id) on delete cascade,
        name text not null,
        workspace_folder text not null,
        config_path text not null)`,
    )
    .execute(db);
}
