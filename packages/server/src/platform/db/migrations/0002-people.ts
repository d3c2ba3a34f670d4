import { type Kysely, sql } from "kysely";

/** API tokens beside sessions: named, with scopes, and with lifetimes up to a hundred years. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `alter table api_keys
    alter column lifetime_seconds type bigint,
    add column token_name text not null default '',
    add column scopes text[] not null default '{coder:all}'`,
  // An expired token keeps its name until its deletion.
  `create unique index api_keys_token_name on api_keys (user_id, token_name)
    where login_type = 'token'`,
];
