import { type Kysely, sql } from "kysely";

/** Template settings besides versions, and the plans of versions and dry runs. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `alter table templates
    add column deprecation_message text not null default '',
    add column default_ttl_ms bigint not null default 0 check (default_ttl_ms >= 0),
    add column activity_bump_ms bigint not null default 3600000 check (activity_bump_ms >= 0),
    add column require_active_version boolean not null default false,
    add column allow_user_cancel_workspace_jobs boolean not null default true,
    add column use_classic_parameter_flow boolean not null default false`,
  `create index template_versions_template on template_versions (template_id, created_at)`,
  `create index workspaces_template on workspaces (template_id) where not deleted`,
  `create index workspace_builds_version on workspace_builds (template_version_id, created_at)`,
  // Resources as clients read them. They never run: nothing else is stored of their agents.
  `create table job_plans (
    job_id uuid primary key references jobs (id) on delete cascade,
    resources jsonb not null
  )`,
  `create table template_version_dry_runs (
    job_id uuid primary key references jobs (id) on delete cascade,
    template_version_id uuid not null references template_versions (id),
    workspace_name text not null,
    parameters jsonb not null
  )`,
];
