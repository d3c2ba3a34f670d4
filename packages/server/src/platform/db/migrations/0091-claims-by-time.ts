import { type Kysely, sql } from "kysely";

/** The list of claims, newest first. A claim is the second build of its workspace and has a preset; few other builds are both. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `create index workspace_builds_claims on workspace_builds (created_at)
        where build_number = 2 and transition = 'start' and template_version_preset_id is not null`,
    )
    .execute(db);
}
