import { type Kysely, sql } from "kysely";

/**
 * The sessions at login providers in which sessions here began, by a hash of their `sid`, so that a provider can end them; and
 * the log-out tokens that were used, for as long as they could be used again.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `alter table api_keys add column provider_session bytea`,
  `create index api_keys_provider_session on api_keys (provider_session)
    where provider_session is not null`,
  `create table used_logout_tokens (
    token_hash bytea primary key,
    used_at timestamptz not null default now())`,
  `create index used_logout_tokens_age on used_logout_tokens (used_at)`,
];
