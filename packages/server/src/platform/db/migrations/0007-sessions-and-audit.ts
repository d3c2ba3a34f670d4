import { type Kysely, sql } from "kysely";

/**
 * The database itself hints when a user loses access, tokens can be limited to some things, audit entries record the
 * origin of a request, columns by which the cleanup finds old rows are indexed, and servers report that they are alive.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [...hints, ...tokens, ...audit, ...cleanup, ...workers])
    await sql.raw(statement).execute(db);
}

/**
 * The topic `sessions` of the pub-sub, to every replica: the text before the newline is the sender, here none. Sent by
 * triggers, so that anything that ends a session hints, and only when it is committed.
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

/** A failed log-in may belong to no known user, and then there is no id of anything. */
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

/** The servers of the deployment, each by its worker id. */
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
