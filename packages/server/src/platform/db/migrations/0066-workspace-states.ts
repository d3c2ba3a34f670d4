import { type Kysely, sql } from "kysely";

/**
 * The read model of workspaces: one row each with what lists and the scheduler look for, which otherwise follows from the
 * newest build, its job, and the owner. docs/decisions/read-model.md says why it is kept by triggers.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const prebuildsUserId = "c42fdf75-3097-471c-8c33-fb52454d81c0";

const table = `create table workspace_states (
  workspace_id uuid primary key references workspaces (id) on delete cascade,
  owner_id uuid not null,
  owner_name text not null,
  name text not null,
  deleted boolean not null,
  build_id uuid not null,
  template_version_id uuid not null,
  status text not null,
  revision bigint not null default 0,
  due_at timestamptz not null default 'epoch'
)`;

/** Pages of lists are read in the order of these indexes. */
const indexes = [
  `create index workspace_states_by_owner_name
    on workspace_states (deleted, (status = 'running') desc, owner_name, name, workspace_id)`,
  `create index workspace_states_by_owner
    on workspace_states (owner_id, deleted, (status = 'running') desc, name, workspace_id)`,
  `create index workspaces_favorites on workspaces (owner_id) where favorite`,
  `create index workspace_states_due on workspace_states (due_at, workspace_id)
    where not deleted and owner_id <> '${prebuildsUserId}'`,
];

/**
 * Derives the row of a workspace. The last transaction to hold the lock of the row sees what all before it committed: each
 * statement of the function has its own snapshot. A new owner is kept from changing its name until the commit; the row of a
 * known owner is found by the change itself.
 */
const refresh = `create function refresh_workspace_state(wanted uuid) returns void language plpgsql as $$
declare
  known uuid;
  owner uuid;
begin
  select owner_id into known from workspace_states where workspace_id = wanted for update;
  select owner_id into owner from workspaces where id = wanted;
  if known is distinct from owner then
    perform from users where id = owner for share;
  end if;
  insert into workspace_states as state
      (workspace_id, owner_id, owner_name, name, deleted, build_id, template_version_id, status)
    select workspace.id, workspace.owner_id, lower(owner_row.username), lower(workspace.name), workspace.deleted,
        build.id, build.template_version_id,
        case
          when job.canceled_at is not null and job.completed_at is null then 'canceling'
          when job.canceled_at is not null then 'canceled'
          when job.completed_at is not null and job.error is not null then 'failed'
          when job.completed_at is not null then
            case build.transition when 'start' then 'running' when 'stop' then 'stopped' else 'deleted' end
          when job.started_at is null then 'pending'
          else case build.transition when 'start' then 'starting' when 'stop' then 'stopping' else 'deleting' end
        end
      from workspaces workspace
        join users owner_row on owner_row.id = workspace.owner_id
        cross join lateral (
          select * from workspace_builds where workspace_id = workspace.id order by build_number desc limit 1) build
        join jobs job on job.id = build.job_id
      where workspace.id = wanted
    on conflict (workspace_id) do update set
      owner_id = excluded.owner_id, owner_name = excluded.owner_name, name = excluded.name, deleted = excluded.deleted,
      build_id = excluded.build_id, template_version_id = excluded.template_version_id, status = excluded.status,
      revision = state.revision + 1, due_at = 'epoch';
end $$`;

/**
 * The triggers wait for the commit: by then the transaction holds all its other locks, so it never waits for one while
 * others wait for this row.
 */
function refreshes(name: string, event: string, when: string, statements: string): string[] {
  const condition = when === "" ? "" : `when (${when})`;
  return [
    `create function ${name}() returns trigger language plpgsql as $$
    begin
      ${statements}
      return null;
    end $$`,
    `create constraint trigger ${name} after ${event} deferrable initially deferred
      for each row ${condition} execute function ${name}()`,
  ];
}

/** Changes several rows, in the order in which all do. */
function updateAll(assignments: string, condition: string): string {
  return `perform from workspace_states where ${condition} order by workspace_id for update;
      update workspace_states set ${assignments} revision = revision + 1, due_at = 'epoch' where ${condition};`;
}

const triggers = [
  refreshes(
    "state_follows_new_build",
    "insert on workspace_builds",
    "",
    "perform refresh_workspace_state(new.workspace_id);",
  ),
  // A deadline that moves on needs nothing: the scheduler looks at the earlier time, and finds the later one.
  refreshes(
    "state_follows_deadline",
    "update of deadline on workspace_builds",
    "new.deadline is not null and (old.deadline is null or new.deadline < old.deadline)",
    "perform refresh_workspace_state(new.workspace_id);",
  ),
  refreshes(
    "state_follows_job",
    "update of started_at, canceled_at, completed_at, error on jobs",
    `new.workspace_id is not null and (old.started_at, old.canceled_at, old.completed_at, old.error)
      is distinct from (new.started_at, new.canceled_at, new.completed_at, new.error)`,
    "perform refresh_workspace_state(new.workspace_id);",
  ),
  refreshes(
    "state_follows_workspace",
    `update of owner_id, name, deleted, template_id, dormant_at, last_day_at, autostart_schedule, next_start_at, ttl_ms,
      on_deadline on workspaces`,
    "old is distinct from new",
    "perform refresh_workspace_state(new.id);",
  ),
  refreshes(
    "state_follows_owner",
    "update of username, status on users",
    "(old.username, old.status) is distinct from (new.username, new.status)",
    updateAll("owner_name = lower(new.username),", "owner_id = new.id"),
  ),
  refreshes(
    "state_follows_template",
    `update of default_ttl_ms, allow_user_autostart, allow_user_autostop, failure_ttl_ms, time_til_dormant_ms,
      time_til_dormant_autodelete_ms, dormant_autodelete_set_at, autostop_days, autostop_weeks on templates`,
    "old is distinct from new",
    updateAll(
      "",
      "workspace_id in (select id from workspaces where template_id = new.id and not deleted)",
    ),
  ),
].flat();

const rows = `select refresh_workspace_state(id) from workspaces`;

/** The queue of jobs is read in the order in which workers take them. */
const queue = [
  `create index jobs_queue on jobs ((initiator_id = '${prebuildsUserId}'), created_at) where completed_at is null`,
  `drop index jobs_open`,
];

const statements = [table, ...indexes, refresh, ...triggers, rows, ...queue];
