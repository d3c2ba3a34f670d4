import { type Kysely, sql } from "kysely";

/** The database hints whose sessions or rights have changed, so that replicas check these users only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

/** The topic `sessions:<user>` of the pub-sub, to every replica, as in migration 0007. */
const hint = (users: string): string => `
  perform pg_notify('slipway', E'\\nsessions:' || hinted.id) from (${users}) hinted (id);`;

const functions = [
  `create function hint_sessions_of_keys() returns trigger language plpgsql as $$
  begin
    ${hint("select distinct user_id from old_keys")}
    return null;
  end $$`,
  `create function hint_sessions_of_key() returns trigger language plpgsql as $$
  begin
    ${hint("select new.user_id")}
    return null;
  end $$`,
  // Keys that a user created for others end with the user.
  `create function hint_sessions_of_user() returns trigger language plpgsql as $$
  begin
    ${hint("select new.id union select user_id from api_keys where created_by = new.id")}
    return null;
  end $$`,
];

const triggers = [
  `drop trigger hint_deleted on api_keys`,
  `create trigger hint_deleted after delete on api_keys referencing old table as old_keys
    for each statement execute function hint_sessions_of_keys()`,
  `drop trigger hint_expired on api_keys`,
  `create trigger hint_expired after update of expires_at on api_keys
    for each row when (new.expires_at < old.expires_at) execute function hint_sessions_of_key()`,
  `drop trigger hint_changed on users`,
  `create trigger hint_changed after update of status, roles, deleted on users
    for each row when (new.status = 'suspended' or new.deleted or new.roles <> old.roles)
    execute function hint_sessions_of_user()`,
  `drop function hint_sessions`,
];

const statements = [...functions, ...triggers];
