import { type Kysely, sql } from "kysely";

/** The time at which a script run was reported, by our clock: the agent's own times may lie in any year. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `alter table workspace_agent_script_timings
    add column created_at timestamptz not null default now()`,
  `create index workspace_agent_script_timings_time on workspace_agent_script_timings (created_at)`,
];
