import { type Kysely, sql } from "kysely";

/**
 * The people at login providers whom users are: one identity a user. The details (tokens and claims) are encrypted.
 * The identity of a deleted user is removed, so that the person may get another account. Sessions know where they began.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create table user_identities (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null unique references users (id) on delete cascade,
    issuer text not null,
    subject text not null,
    provider_id text not null,
    details_encrypted bytea not null,
    version integer not null default 1,
    is_checkable boolean not null,
    checked_at timestamptz not null default now(),
    checking_until timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (issuer, subject))`,
  `create index user_identities_due on user_identities (checked_at) where is_checkable`,
  `create function remove_user_identity() returns trigger language plpgsql as $$
    begin
      delete from user_identities where user_id = new.id;
      return null;
    end $$`,
  `create trigger user_identity_ends after update of deleted on users
    for each row when (new.deleted) execute function remove_user_identity()`,
  `alter table api_keys
    add check (login_type in ('password', 'oidc', 'github', 'token')),
    add column ip text not null default '',
    add column user_agent text not null default ''`,
];
