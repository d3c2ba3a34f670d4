import { type Kysely, sql } from "kysely";

/**
 * The agents of stopped workspaces, as a view: they may not act (`live_agents`), but those that people start keep
 * their tokens for the next start.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `create view stopped_agents as
    select agent.id, agent.name, agent.auth_token_hash, build.workspace_id
      from workspace_agents agent
        join workspace_builds build on build.id = agent.workspace_build_id
        join workspaces workspace on workspace.id = build.workspace_id
        cross join lateral (select transition, job_id from workspace_builds
          where workspace_id = build.workspace_id order by build_number desc limit 1) newest
        join jobs job on job.id = newest.job_id
      where not agent.deleted and not workspace.deleted and newest.transition = 'stop'
        and job.completed_at is not null and job.error is null and job.canceled_at is null`,
    )
    .execute(db);
}
