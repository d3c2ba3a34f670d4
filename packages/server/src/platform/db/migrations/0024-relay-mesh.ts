import { type Kysely, sql } from "kysely";

/**
 * The relays of the replicas, which log in to each other (docs/protocol/tailnet.md §4.8), and the secret that they
 * share. The relays are not logged: after a crash of PostgreSQL each announces itself again.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create unlogged table relay_replicas (
    id uuid primary key,
    url text not null,
    host text not null,
    heartbeat_at timestamptz not null default now())`,
  // One row at most.
  `create table relay_mesh_keys (
    id uuid primary key default gen_random_uuid(),
    is_only boolean not null unique default true check (is_only),
    key_encrypted bytea not null)`,
];
