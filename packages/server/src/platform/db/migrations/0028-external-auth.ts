import { type Kysely, sql } from "kysely";

/**
 * Tokens of external providers, encrypted, one link a user and provider. A refresh is claimed for a short time by one
 * replica; `version` counts the tokens stored, so that a late answer never replaces newer ones. The links of a
 * deleted user are removed.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create table external_auth_links (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references users (id) on delete cascade,
    provider_id text not null,
    tokens_encrypted bytea not null,
    version integer not null default 1,
    expires_at timestamptz,
    has_refresh_token boolean not null,
    refresh_failure text,
    refreshing_until timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (user_id, provider_id))`,
  `create function remove_external_auth_links() returns trigger language plpgsql as $$
    begin
      delete from external_auth_links where user_id = new.id;
      return null;
    end $$`,
  `create trigger external_auth_links_end after update of deleted on users
    for each row when (new.deleted) execute function remove_external_auth_links()`,
];
