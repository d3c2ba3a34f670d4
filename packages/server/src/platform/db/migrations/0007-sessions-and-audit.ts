import { type Kysely, sql } from "kysely";

/**
 * The database itself hints when somebody is not let in any more, tokens are limited to some things, entries of the audit
 * trail say from where a request came, what the cleanup looks for by its age is indexed, and servers say that they work.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [...hints, ...tokens, ...audit, ...cleanup, ...workers])
    await sql.raw(statement).execute(db);
}

/**
 * The topic `sessions` of the pub-sub, to every replica: before the newline stands the sender, here none. As triggers, so
 * that whatever ends a session hints, and only when it is committed.
 */
const hints = [
  `create function hint_sessions() returns trigger language plpgsql as $$
  begin
    perform pg_notify('slipway', E'\\nsessions');
    return null;
  end $$`,
  `create trigger hint_deleted after delete on api_keys
    for each statement execute function hint_sessions()`,
  `create trigger hint_expired after update of expires_at on api_keys
    for each row when (new.expires_at < old.expires_at) execute function hint_sessions()`,
  `create trigger hint_changed after update of status, roles, deleted on users
    for each row when (new.status = 'suspended' or new.deleted or new.roles <> old.roles)
    execute function hint_sessions()`,
];

const tokens = [`alter table api_keys add column allow_list text[] not null default '{*:*}'`];

/** A log-in that failed may be of nobody known, so that nothing has an id. */
const audit = [
  `alter table audit_log
    add column request_id uuid,
    add column ip text not null default '',
    add column user_agent text not null default '',
    add column status_code smallint not null default 200`,
];

const cleanup = [
  `create index workspace_agent_stats_time on workspace_agent_stats (created_at)`,
  `create index workspace_app_statuses_time on workspace_app_statuses (created_at)`,
  `create index workspace_connections_time
    on workspace_connections ((coalesce(connected_at, disconnected_at)))`,
];

/** The servers of the deployment, each by the id under which it takes jobs. */
const workers = [
  `create table workers (
    id uuid primary key,
    name text not null,
    version text not null,
    drivers text[] not null,
    created_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now()
  )`,
  `create index jobs_worker on jobs (worker_id, completed_at desc)`,
];
