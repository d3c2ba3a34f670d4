import { type Kysely, sql } from "kysely";

/** The base schema: people, templates, workspaces, builds, agents and their logs. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const people = [
  `create table deployment (
    key text primary key,
    value text not null
  )`,
  `create table organizations (
    id uuid primary key default gen_random_uuid(),
    name text not null,
    display_name text not null default '',
    description text not null default '',
    icon text not null default '',
    is_default boolean not null default false,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
  )`,
  `create unique index organizations_name on organizations (lower(name))`,
  `create unique index organizations_one_default on organizations (is_default) where is_default`,
  `create table users (
    id uuid primary key default gen_random_uuid(),
    username text not null,
    email text not null,
    name text not null default '',
    password_hash text not null default '',
    status text not null default 'active' check (status in ('active', 'dormant', 'suspended')),
    login_type text not null default 'password'
      check (login_type in ('password', 'github', 'oidc', 'token', 'none')),
    roles text[] not null default '{}',
    is_system boolean not null default false,
    deleted boolean not null default false,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    last_seen_at timestamptz
  )`,
  `create unique index users_username on users (lower(username)) where not deleted`,
  `create unique index users_email on users (lower(email)) where not deleted`,
  `create table organization_members (
    organization_id uuid not null references organizations (id) on delete cascade,
    user_id uuid not null references users (id) on delete cascade,
    roles text[] not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, user_id)
  )`,
  `create table api_keys (
    id text primary key check (length(id) = 10),
    hashed_secret bytea not null,
    user_id uuid not null references users (id) on delete cascade,
    login_type text not null,
    lifetime_seconds integer not null,
    expires_at timestamptz not null,
    last_used timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
  )`,
  `create index api_keys_user on api_keys (user_id)`,
];

const templates = [
  `create table files (
    id uuid primary key default gen_random_uuid(),
    hash text not null,
    mimetype text not null,
    data bytea not null,
    created_by uuid not null references users (id),
    created_at timestamptz not null default now(),
    unique (created_by, hash)
  )`,
  `create table templates (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null references organizations (id),
    name text not null,
    display_name text not null default '',
    description text not null default '',
    icon text not null default '',
    active_version_id uuid not null,
    created_by uuid not null references users (id),
    deleted boolean not null default false,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
  )`,
  `create unique index templates_name on templates (organization_id, lower(name)) where not deleted`,
  `create table template_versions (
    id uuid primary key default gen_random_uuid(),
    template_id uuid references templates (id),
    organization_id uuid not null references organizations (id),
    name text not null,
    message text not null default '',
    readme text not null default '',
    job_id uuid not null unique,
    file_id uuid not null references files (id),
    definition jsonb,
    archived boolean not null default false,
    created_by uuid not null references users (id),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (template_id, name)
  )`,
  `alter table templates add constraint templates_active_version
    foreign key (active_version_id) references template_versions (id) deferrable initially deferred`,
  `create table template_version_presets (
    id uuid primary key default gen_random_uuid(),
    template_version_id uuid not null references template_versions (id) on delete cascade,
    name text not null,
    unique (template_version_id, name)
  )`,
];

const workspaces = [
  `create table workspaces (
    id uuid primary key default gen_random_uuid(),
    owner_id uuid not null references users (id),
    organization_id uuid not null references organizations (id),
    template_id uuid not null references templates (id),
    name text not null,
    deleted boolean not null default false,
    last_used_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
  )`,
  `create unique index workspaces_owner_name on workspaces (owner_id, lower(name)) where not deleted`,
  `create table jobs (
    id uuid primary key default gen_random_uuid(),
    type text not null
      check (type in ('template_version_import', 'workspace_build', 'template_version_dry_run')),
    organization_id uuid not null references organizations (id),
    initiator_id uuid not null references users (id),
    file_id uuid not null references files (id),
    template_version_id uuid references template_versions (id),
    workspace_id uuid references workspaces (id),
    worker_id uuid,
    only_worker_id uuid,
    lease_until timestamptz,
    error text,
    error_code text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    started_at timestamptz,
    canceled_at timestamptz,
    completed_at timestamptz
  )`,
  `create unique index jobs_one_running_per_workspace on jobs (workspace_id)
    where completed_at is null and workspace_id is not null`,
  `create index jobs_open on jobs (created_at) where completed_at is null`,
  `alter table template_versions add constraint template_versions_job
    foreign key (job_id) references jobs (id) deferrable initially deferred`,
  `create table job_logs (
    id bigint generated always as identity primary key,
    job_id uuid not null references jobs (id) on delete cascade,
    log_source text not null check (log_source in ('provisioner_daemon', 'provisioner')),
    log_level text not null check (log_level in ('trace', 'debug', 'info', 'warn', 'error')),
    stage text not null,
    output text not null,
    created_at timestamptz not null default now()
  )`,
  `create index job_logs_job on job_logs (job_id, id)`,
  `create table workspace_builds (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references workspaces (id),
    build_number integer not null check (build_number >= 1),
    transition text not null check (transition in ('start', 'stop', 'delete')),
    template_version_id uuid not null references template_versions (id),
    template_version_preset_id uuid references template_version_presets (id),
    initiator_id uuid not null references users (id),
    job_id uuid not null unique references jobs (id),
    reason text not null,
    driver_state bytea,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (workspace_id, build_number)
  )`,
  `create table workspace_build_parameters (
    workspace_build_id uuid not null references workspace_builds (id) on delete cascade,
    name text not null,
    value text not null,
    primary key (workspace_build_id, name)
  )`,
];

const agents = [
  `create table workspace_resources (
    id uuid primary key default gen_random_uuid(),
    job_id uuid not null references jobs (id) on delete cascade,
    workspace_transition text not null check (workspace_transition in ('start', 'stop', 'delete')),
    type text not null,
    name text not null,
    icon text not null default '',
    created_at timestamptz not null default now()
  )`,
  `create index workspace_resources_job on workspace_resources (job_id)`,
  `create table workspace_agents (
    id uuid primary key default gen_random_uuid(),
    parent_id uuid references workspace_agents (id),
    resource_id uuid not null references workspace_resources (id) on delete cascade,
    workspace_build_id uuid not null references workspace_builds (id) on delete cascade,
    name text not null,
    auth_token_hash bytea not null,
    auth_token_encrypted bytea not null,
    architecture text not null,
    operating_system text not null,
    environment_variables jsonb not null default '{}',
    directory text not null default '',
    expanded_directory text not null default '',
    motd_file text not null default '',
    troubleshooting_url text not null default '',
    connection_timeout_seconds integer not null default 120,
    display_apps text[] not null default '{}',
    resource_monitors jsonb not null default '{}',
    version text not null default '',
    api_version text not null default '',
    subsystems text[] not null default '{}',
    lifecycle_state text not null default 'created' check (lifecycle_state in (
      'created', 'starting', 'start_timeout', 'start_error', 'ready',
      'shutting_down', 'shutdown_timeout', 'shutdown_error', 'off')),
    started_at timestamptz,
    ready_at timestamptz,
    first_connected_at timestamptz,
    last_connected_at timestamptz,
    disconnected_at timestamptz,
    connection_id uuid,
    last_connected_replica_id uuid,
    deleted boolean not null default false,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
  ) with (fillfactor = 80)`,
  `create unique index workspace_agents_token on workspace_agents (auth_token_hash) where not deleted`,
  `create unique index workspace_agents_name on workspace_agents (workspace_build_id, lower(name))
    where not deleted`,
  `create index workspace_agents_resource on workspace_agents (resource_id)`,
  `create index workspace_agents_parent on workspace_agents (parent_id) where parent_id is not null`,
  `create table workspace_agent_log_sources (
    workspace_agent_id uuid not null references workspace_agents (id) on delete cascade,
    id uuid not null,
    display_name text not null,
    icon text not null default '',
    created_at timestamptz not null default now(),
    primary key (workspace_agent_id, id)
  )`,
  `create table workspace_agent_scripts (
    id uuid primary key default gen_random_uuid(),
    workspace_agent_id uuid not null references workspace_agents (id) on delete cascade,
    position integer not null,
    log_source_id uuid not null,
    log_path text not null default '',
    script text not null,
    cron text not null default '',
    run_on_start boolean not null default false,
    run_on_stop boolean not null default false,
    start_blocks_login boolean not null default false,
    timeout_seconds integer not null default 0,
    display_name text not null default '',
    unique (workspace_agent_id, position)
  )`,
  `create table workspace_agent_script_timings (
    script_id uuid not null references workspace_agent_scripts (id) on delete cascade,
    started_at timestamptz not null,
    ended_at timestamptz not null,
    exit_code integer not null,
    stage text not null check (stage in ('start', 'stop', 'cron')),
    status text not null check (status in ('ok', 'exit_failure', 'timed_out', 'pipes_left_open')),
    primary key (script_id, started_at)
  )`,
  `create table workspace_agent_metadata (
    workspace_agent_id uuid not null references workspace_agents (id) on delete cascade,
    key text not null,
    position integer not null,
    display_name text not null,
    script text not null,
    interval_seconds integer not null,
    timeout_seconds integer not null,
    value text not null default '',
    error text not null default '',
    collected_at timestamptz,
    primary key (workspace_agent_id, key)
  ) with (fillfactor = 70)`,
  `create table workspace_apps (
    id uuid primary key default gen_random_uuid(),
    workspace_agent_id uuid not null references workspace_agents (id) on delete cascade,
    position integer not null,
    slug text not null,
    display_name text not null default '',
    url text not null default '',
    command text not null default '',
    icon text not null default '',
    external boolean not null default false,
    subdomain boolean not null default false,
    sharing_level text not null default 'owner'
      check (sharing_level in ('owner', 'authenticated', 'organization', 'public')),
    healthcheck_url text not null default '',
    healthcheck_interval_seconds integer not null default 0,
    healthcheck_threshold integer not null default 0,
    health text not null default 'disabled'
      check (health in ('disabled', 'initializing', 'healthy', 'unhealthy')),
    app_group text not null default '',
    hidden boolean not null default false,
    open_in text not null default 'slim-window' check (open_in in ('slim-window', 'tab')),
    tooltip text not null default '',
    unique (workspace_agent_id, slug)
  )`,
  `create table workspace_app_statuses (
    id uuid primary key default gen_random_uuid(),
    workspace_app_id uuid not null references workspace_apps (id) on delete cascade,
    state text not null check (state in ('working', 'idle', 'complete', 'failure')),
    message text not null,
    uri text not null default '',
    created_at timestamptz not null default now()
  )`,
  `create index workspace_app_statuses_app on workspace_app_statuses (workspace_app_id, created_at)`,
  `create table workspace_agent_stats (
    id bigint generated always as identity primary key,
    workspace_agent_id uuid not null references workspace_agents (id) on delete cascade,
    stats jsonb not null,
    created_at timestamptz not null default now()
  )`,
  `create index workspace_agent_stats_agent on workspace_agent_stats (workspace_agent_id, id)`,
  `create table workspace_connections (
    id uuid not null,
    workspace_agent_id uuid not null references workspace_agents (id) on delete cascade,
    type text not null check (type in ('ssh', 'vscode', 'jetbrains', 'reconnecting_pty')),
    ip text,
    connected_at timestamptz,
    disconnected_at timestamptz,
    status_code integer,
    reason text,
    primary key (workspace_agent_id, id)
  )`,
];

/**
 * The position of an agent's log. Its row is the lock that makes ids gapless and ordered by commit. `batches`
 * remembers, by log source, the newest batch, so that a resent batch is stored once.
 */
const logs = [
  `create table workspace_agent_log_positions (
    workspace_agent_id uuid primary key references workspace_agents (id) on delete cascade,
    last_id bigint not null default 0,
    logs_length bigint not null default 0,
    overflowed boolean not null default false,
    batches jsonb not null default '{}'
  ) with (fillfactor = 50)`,
  `create table workspace_agent_logs (
    workspace_agent_id uuid not null references workspace_agents (id) on delete cascade,
    id bigint not null,
    log_source_id uuid not null,
    level text not null,
    output text not null,
    created_at timestamptz not null,
    primary key (workspace_agent_id, id)
  )`,
  `create function append_agent_logs(
    agent uuid, source uuid,
    times bigint[], levels text[], outputs text[], sizes integer[],
    max_bytes bigint, max_lines bigint, max_sources integer
  ) returns table (stored integer, is_overflowed boolean, was_overflowed boolean)
  language plpgsql as $$
  declare
    pos workspace_agent_log_positions;
    known jsonb;
    known_lines integer;
    lines integer := cardinality(times);
    skip integer := 0;
    added bigint;
  begin
    select * into strict pos from workspace_agent_log_positions p
      where p.workspace_agent_id = agent for update;
    if pos.overflowed then
      return query select 0, true, true;
      return;
    end if;
    known := pos.batches -> source::text;
    known_lines := (known ->> 'lines')::integer;
    if times[1] <> 0 and times[1] = (known ->> 'first')::bigint
        and known_lines <= lines and times[known_lines] = (known ->> 'last')::bigint then
      skip := known_lines;
    end if;
    select coalesce(sum(size), 0) into added from unnest(sizes[skip + 1:]) as size;
    if pos.logs_length + added > max_bytes or pos.last_id + lines - skip > max_lines then
      update workspace_agent_log_positions p set overflowed = true where p.workspace_agent_id = agent;
      return query select 0, true, false;
      return;
    end if;
    insert into workspace_agent_logs (workspace_agent_id, id, log_source_id, level, output, created_at)
      select agent, pos.last_id + line.number, source, line.level, line.output, now()
      from unnest(levels[skip + 1:], outputs[skip + 1:]) with ordinality as line (level, output, number);
    update workspace_agent_log_positions p set
      last_id = pos.last_id + lines - skip,
      logs_length = pos.logs_length + added,
      batches = case
        when known is null and (select count(*) from jsonb_object_keys(pos.batches)) >= max_sources
          then pos.batches
        else pos.batches || jsonb_build_object(source::text, jsonb_build_object(
          'first', times[1], 'last', times[lines], 'lines', lines)) end
      where p.workspace_agent_id = agent;
    return query select lines - skip, false, false;
  end $$`,
];

const statements = [...people, ...templates, ...workspaces, ...agents, ...logs];
