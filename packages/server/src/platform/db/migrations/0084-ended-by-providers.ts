import { type Kysely, sql } from "kysely";

/**
 * The session or person whose sessions a log-out token ended, by a hash, so that a login that began before cannot open another
 * one.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `alter table used_logout_tokens add column ended_hash bytea`,
  `create index used_logout_tokens_ended on used_logout_tokens (ended_hash)
    where ended_hash is not null`,
];
