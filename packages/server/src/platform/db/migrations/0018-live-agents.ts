import { type Kysely, sql } from "kysely";

/** The agents that may act, as a view: one definition for authentication, sessions and every statement of an agent. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  // docs/protocol/rest.md §1.4: the agent's build is the newest of its workspace, or a start that succeeded, followed
  // only by a stop that has not ended, during which the stop scripts run.
  `create view live_agents as
    select agent.id, agent.name, agent.parent_id, agent.auth_token_hash,
        build.id as build_id, workspace.id as workspace_id, workspace.owner_id
      from workspace_agents agent
        join workspace_builds build on build.id = agent.workspace_build_id
        join jobs job on job.id = build.job_id
        join workspaces workspace on workspace.id = build.workspace_id
      where not agent.deleted and not workspace.deleted
        and (
          not exists (select from workspace_builds later
            where later.workspace_id = build.workspace_id and later.build_number > build.build_number)
          or (
            build.transition = 'start' and job.completed_at is not null and job.error is null
            and not exists (select from workspace_builds later
              join jobs later_job on later_job.id = later.job_id
              where later.workspace_id = build.workspace_id and later.build_number > build.build_number
                and not (later.transition = 'stop' and later_job.completed_at is null
                  and later.build_number = build.build_number + 1))))`,
];
