import { type Kysely, sql } from "kysely";

/** Pools of presets, the user who owns waiting prebuilds, and the records of a claim (docs/claims.md). */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [...people, ...pools, ...hints, ...builds, ...agents]) {
    await sql.raw(statement).execute(db);
  }
}

/** The system user has fixed names; a user with one of them gets another. */
const people = [
  `update users set username = 'prebuilds-' || left(id::text, 8)
    where lower(username) = 'prebuilds' and not is_system`,
  `update users set email = left(id::text, 8) || '-' || email
    where lower(email) = 'prebuilds@system' and not is_system`,
  `insert into users (id, username, email, name, login_type, is_system)
    values ('c42fdf75-3097-471c-8c33-fb52454d81c0', 'prebuilds', 'prebuilds@system', 'Prebuilds Owner', 'none', true)`,
  `create function refuse_system_key() returns trigger language plpgsql as $$
  begin
    if (select is_system from users where id = new.user_id) then
      raise exception 'a system user has no keys' using errcode = 'check_violation';
    end if;
    return new;
  end $$`,
  `create trigger refuse_system_key before insert on api_keys
    for each row execute function refuse_system_key()`,
];

/** `desired_instances` is null for a preset without a pool. `prebuild_preset_id` names the pool until the claim. */
const pools = [
  `alter table template_version_presets
    add column desired_instances integer check (desired_instances >= 0),
    add column invalidate_after_secs integer not null default 0 check (invalidate_after_secs >= 0),
    add column scheduling_timezone text not null default '',
    add column last_invalidated_at timestamptz,
    add column prebuild_status text not null default 'healthy'
      check (prebuild_status in ('healthy', 'hard_limited', 'validation_failed'))`,
  `create index template_version_presets_pools on template_version_presets (template_version_id)
    where desired_instances is not null`,
  `create table template_version_preset_prebuild_schedules (
    preset_id uuid not null references template_version_presets (id) on delete cascade,
    cron_expression text not null,
    desired_instances integer not null check (desired_instances >= 0),
    primary key (preset_id, cron_expression)
  )`,
  `update template_version_presets as kept set
      desired_instances = (preset -> 'prebuilds' ->> 'instances')::integer,
      invalidate_after_secs = coalesce((preset -> 'prebuilds' ->> 'expireAfterSeconds')::integer, 0),
      scheduling_timezone = coalesce(preset -> 'prebuilds' -> 'schedule' ->> 'timezone', '')
    from template_versions v, jsonb_array_elements(v.definition -> 'presets') as preset
    where v.id = kept.template_version_id and preset ->> 'name' = kept.name
      and preset -> 'prebuilds' is not null`,
  `insert into template_version_preset_prebuild_schedules (preset_id, cron_expression, desired_instances)
    select kept.id, spec ->> 'cron', (spec ->> 'instances')::integer
    from template_version_presets kept
      join template_versions v on v.id = kept.template_version_id,
      jsonb_array_elements(v.definition -> 'presets') as preset,
      jsonb_array_elements(preset -> 'prebuilds' -> 'schedule' -> 'windows') as spec
    where preset ->> 'name' = kept.name
    on conflict do nothing`,
  `alter table workspaces
    add column prebuild_preset_id uuid references template_version_presets (id)`,
  // Scanned in order, so that a claim looks at few rows of a large pool.
  `create index workspaces_prebuilds on workspaces (prebuild_preset_id, created_at)
    where prebuild_preset_id is not null and not deleted`,
  // First builds of prebuilds, to count their outcomes.
  `create index workspace_builds_prebuilds on workspace_builds (template_version_preset_id)
    where build_number = 1 and initiator_id = 'c42fdf75-3097-471c-8c33-fb52454d81c0'`,
];

/** The topic `prebuilds`, to every replica, whenever a change that affects pools is committed. */
const hints = [
  `create function hint_prebuilds() returns trigger language plpgsql as $$
  begin
    perform pg_notify('slipway', E'\\nprebuilds');
    return null;
  end $$`,
  `create trigger hint_prebuilds
    after insert or update of active_version_id, deleted, deprecation_message on templates
    for each statement execute function hint_prebuilds()`,
  `create trigger hint_prebuilds
    after update of last_invalidated_at on template_version_presets
    for each statement execute function hint_prebuilds()`,
  `create trigger hint_prebuilds after insert or update on deployment
    for each row when (new.key = 'prebuilds_settings') execute function hint_prebuilds()`,
];

/** The beneficiary of a build: its workspace's owner when it was queued. Older replicas leave it empty. */
const builds = [
  `alter table workspace_builds add column owner_id uuid references users (id)`,
  `update workspace_builds b set owner_id = w.owner_id from workspaces w where w.id = b.workspace_id`,
  `create function fill_build_owner() returns trigger language plpgsql as $$
  begin
    select owner_id into new.owner_id from workspaces where id = new.workspace_id;
    return new;
  end $$`,
  `create trigger fill_build_owner before insert on workspace_builds
    for each row when (new.owner_id is null) execute function fill_build_owner()`,
  `alter table workspace_builds alter column owner_id set not null`,
];

/**
 * `took_over`: the process of the row previously ran for another owner. It is owed a reinit while `started_at` is null.
 * `reinit_sent_at`: the last time that it was told so.
 */
const agents = [
  `alter table workspace_agents
    add column took_over boolean not null default false,
    add column reinit_sent_at timestamptz`,
];
