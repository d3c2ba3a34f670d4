import { type Kysely, sql } from "kysely";

/**
 * The cleanup finds the builds that replaced another recently, and of their owners those of the last week; a first build
 * replaces nothing. Lists of templates count users without reading each workspace.
 */
const statements = [
  `create index workspace_builds_replacing on workspace_builds (created_at) where build_number > 1`,
  `create index workspace_builds_replacing_of_owner on workspace_builds (owner_id, created_at)
    where build_number > 1`,
  `create index workspaces_template_owners on workspaces (template_id, owner_id) where not deleted`,
  `drop index workspaces_template`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
