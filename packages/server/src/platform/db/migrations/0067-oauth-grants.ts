import { type Kysely, sql } from "kysely";

/**
 * Grants of users to programs that log in by OAuth. A grant begins with a code, which the session that consented ends
 * with; once the code is redeemed, the grant ends with the token made for it. The database ends it, so that whatever
 * revokes a session or token ends the grant as well.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create table oauth_grants (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references users (id) on delete cascade,
    client_hash bytea not null,
    client_id uuid not null,
    client_name text not null,
    scopes text[] not null,
    redirect_uri text not null,
    code_hash bytea not null unique,
    code_challenge text not null,
    session_key_id text references api_keys (id) on delete cascade,
    key_id text references api_keys (id) on delete cascade,
    refresh_hash bytea unique,
    previous_refresh_hash bytea unique,
    refreshed_at timestamptz,
    created_at timestamptz not null default now(),
    check ((session_key_id is null) <> (key_id is null)),
    check ((key_id is null) = (refresh_hash is null)))`,
  `create unique index oauth_grants_key on oauth_grants (key_id)`,
  `create index oauth_grants_session_key on oauth_grants (session_key_id)`,
  `create index oauth_grants_user on oauth_grants (user_id)`,
  `create function end_oauth_grant() returns trigger language plpgsql as $$
    begin
      delete from oauth_grants where key_id = new.id;
      return null;
    end $$`,
  `create trigger oauth_grant_expired after update of expires_at on api_keys
    for each row when (new.expires_at < old.expires_at) execute function end_oauth_grant()`,
];
