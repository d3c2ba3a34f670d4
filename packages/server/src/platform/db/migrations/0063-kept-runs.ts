import { type Kysely, sql } from "kysely";

/** The end of runs that agents left when their workspace stopped, for callers that attach later. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create table kept_runs (
    workspace_id uuid not null references workspaces (id) on delete cascade,
    run_id uuid not null,
    agent_id uuid not null,
    run jsonb not null,
    chunks jsonb not null,
    bytes integer not null check (bytes >= 0),
    created_at timestamptz not null default now(),
    primary key (workspace_id, run_id))`,
  `create index kept_runs_created_at on kept_runs (created_at)`,
];
