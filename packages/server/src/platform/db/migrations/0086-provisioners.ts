import { type Kysely, sql } from "kysely";

/**
 * The keys of provisioners, which carry out jobs outside of servers. A provisioner is a worker with a key: of its sessions with
 * servers, only the newest takes jobs.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create table provisioner_keys (
    id uuid primary key default gen_random_uuid(),
    organization_id uuid not null references organizations (id) on delete cascade,
    name text not null,
    hashed_secret bytea not null unique,
    tags jsonb not null default '{}',
    created_at timestamptz not null default now())`,
  `create unique index provisioner_keys_name on provisioner_keys (organization_id, lower(name))`,
  `alter table workers
    add column key_id uuid references provisioner_keys (id) on delete cascade,
    add column tags jsonb not null default '{}',
    add column session_id uuid`,
  `create index workers_key on workers (key_id) where key_id is not null`,
  `alter table jobs add column tags jsonb not null default '{}'`,
];
