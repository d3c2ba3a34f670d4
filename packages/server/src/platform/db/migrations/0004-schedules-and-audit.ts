import { type Kysely, sql } from "kysely";

/** Automatic starts and stops of workspaces, their owners' settings, and the audit trail. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `alter table workspaces
    add column favorite boolean not null default false,
    add column automatic_updates text not null default 'never'
      check (automatic_updates in ('always', 'never')),
    add column autostart_schedule text,
    add column next_start_at timestamptz,
    add column ttl_ms bigint check (ttl_ms > 0),
    add column dormant_at timestamptz`,
  `create index workspaces_next_start on workspaces (next_start_at)
    where next_start_at is not null and not deleted`,
  `alter table workspace_builds
    add column deadline timestamptz,
    add column max_deadline timestamptz`,
  `create index workspace_builds_deadline on workspace_builds (deadline) where deadline is not null`,
  `create table audit_log (
    id uuid primary key default gen_random_uuid(),
    created_at timestamptz not null default now(),
    user_id uuid references users (id),
    organization_id uuid references organizations (id),
    action text not null,
    resource_type text not null,
    resource_id uuid not null,
    resource_target text not null,
    diff jsonb not null default '{}',
    additional_fields jsonb not null default '{}'
  )`,
  `create index audit_log_time on audit_log (created_at desc, id)`,
  `create index audit_log_resource on audit_log (resource_id)`,
];
