import { type Kysely, sql } from "kysely";

/** Indexes for a user's pushes, dry runs and uploads, to count them and to remove unused ones. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create index template_versions_creator on template_versions (created_by, created_at)`,
  `create index template_versions_without_template on template_versions (created_at)
    where template_id is null`,
  `create index jobs_dry_runs on jobs (initiator_id, created_at)
    where type = 'template_version_dry_run'`,
];
