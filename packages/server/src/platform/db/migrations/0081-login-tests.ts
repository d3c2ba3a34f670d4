import { type Kysely, sql } from "kysely";

/** The login by which an owner tests a provider, one each, and its result until the command collects it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `create table login_tests (
        owner_id uuid primary key references users (id) on delete cascade,
        test_hash bytea not null unique,
        result_encrypted bytea,
        created_at timestamptz not null default now())`,
    )
    .execute(db);
}
