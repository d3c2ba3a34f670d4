import { type Kysely, sql } from "kysely";

/**
 * Codes of logins without a browser that users approved, until the program collects its session. An approval ends with the
 * session that gave it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create table device_approvals (
    code_hash bytea primary key,
    user_id uuid not null references users (id) on delete cascade,
    key_id text not null references api_keys (id) on delete cascade,
    created_at timestamptz not null default now())`,
  `create index device_approvals_user on device_approvals (user_id)`,
  `create index device_approvals_key on device_approvals (key_id)`,
];
