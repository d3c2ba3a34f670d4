import { type Kysely, sql } from "kysely";

/** Pages of jobs, newest first: of an organization, of an initiator, and of those that did not succeed. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const statements = [
    `create index jobs_newest on jobs (organization_id, created_at desc, id)`,
    `create index jobs_initiator on jobs (initiator_id, created_at desc, id)`,
    `create index jobs_unsuccessful on jobs (organization_id, created_at desc, id)
      where completed_at is not null and (error is not null or canceled_at is not null)`,
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}
