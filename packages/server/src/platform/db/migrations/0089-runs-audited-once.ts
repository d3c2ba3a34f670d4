import { type Kysely, sql } from "kysely";

/** A run that is started again by the same request is recorded once; entries of earlier releases name no instance. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `create unique index audit_log_run on audit_log (
        resource_id, user_id, (additional_fields->>'instance_id'), (additional_fields->>'run_id'))
        where action = 'start' and resource_type = 'workspace_agent'
          and additional_fields ? 'instance_id'`,
    )
    .execute(db);
}
