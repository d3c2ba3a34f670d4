import { type Kysely, sql } from "kysely";

/**
 * The code that a user is looking at, and the program that waits for it, which the program's own next request fills in:
 * other programs leave nothing here. Users also refuse logins.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create table device_lookups (
    user_id uuid primary key references users (id) on delete cascade,
    code_hash bytea not null,
    ip text,
    user_agent text,
    begun_at timestamptz,
    check (num_nulls(ip, user_agent, begun_at) in (0, 3)))`,
  `create index device_lookups_code on device_lookups (code_hash) where begun_at is null`,
  `alter table device_approvals add column is_refused boolean not null default false`,
];
