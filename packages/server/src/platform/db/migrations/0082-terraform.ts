import { type Kysely, sql } from "kysely";

/**
 * What drivers need whose templates are written in their own language: notes of each version from its import, states that
 * hold secrets, and what a configuration says about its resources.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `alter table template_versions add column driver_notes bytea`,
  `alter table workspace_builds add column driver_state_encrypted bytea`,
  `alter table workspace_resources
    add column hide boolean not null default false,
    add column daily_cost integer not null default 0,
    add column metadata jsonb not null default '[]'`,
];
