import { randomUUID } from "node:crypto";

import type { Transition } from "@slipway/api/builds/resource";
import { sql } from "kysely";

import { hashAgentToken } from "../../src/platform/auth/agent-token.ts";
import type { Database, Queryable } from "../../src/platform/db/database.ts";

/** The rows that a build depends on. */
export interface SeededWorkspace {
  readonly organizationId: string;
  readonly userId: string;
  readonly fileId: string;
  readonly versionId: string;
  readonly workspaceId: string;
}

/** Creates a user, a template with one version, and a workspace of it without a build. */
export async function seedWorkspace(db: Database): Promise<SeededWorkspace> {
  const ids = {
    organizationId: randomUUID(),
    userId: randomUUID(),
    fileId: randomUUID(),
    templateId: randomUUID(),
    versionId: randomUUID(),
    workspaceId: randomUUID(),
  };
  const { organizationId: org, userId: user, fileId: file, templateId, versionId } = ids;
  await db.transaction().execute(async (trx) => {
    const importJob = randomUUID();
    await sql`insert into organizations (id, name) values (${org}, 'org')`.execute(trx);
    await sql`insert into users (id, username, email, roles)
      values (${user}, 'ann', 'ann@example.com', '{owner}')`.execute(trx);
    await sql`insert into files (id, hash, mimetype, data, created_by)
      values (${file}, '', '', '', ${user})`.execute(trx);
    await sql`insert into jobs (id, type, organization_id, initiator_id, file_id, started_at, completed_at)
      values (${importJob}, 'template_version_import', ${org}, ${user}, ${file}, now(), now())`.execute(
      trx,
    );
    await sql`insert into templates (id, organization_id, name, active_version_id, created_by)
      values (${templateId}, ${org}, 'template', ${versionId}, ${user})`.execute(trx);
    await sql`insert into template_versions
        (id, template_id, organization_id, name, job_id, file_id, created_by)
      values (${versionId}, ${templateId}, ${org}, 'one', ${importJob}, ${file}, ${user})`.execute(
      trx,
    );
    await sql`insert into workspaces (id, owner_id, organization_id, template_id, name)
      values (${ids.workspaceId}, ${user}, ${org}, ${templateId}, 'dev')`.execute(trx);
  });
  return ids;
}

export type JobState = "pending" | "running" | "succeeded" | "failed";

export interface SeededBuild {
  readonly jobId: string;
  readonly buildId: string;
}

/** Creates a build of the workspace, with its job in the given state. */
export async function seedBuild(
  db: Queryable,
  place: SeededWorkspace,
  build: { readonly number: number; readonly transition: Transition; readonly job: JobState },
): Promise<SeededBuild> {
  const [jobId, buildId] = [randomUUID(), randomUUID()];
  const isEnded = build.job === "succeeded" || build.job === "failed";
  await sql`insert into jobs
      (id, type, organization_id, initiator_id, file_id, workspace_id, started_at, completed_at, error)
    values (${jobId}, 'workspace_build', ${place.organizationId}, ${place.userId}, ${place.fileId},
      ${place.workspaceId},
      case when ${build.job !== "pending"} then now() end,
      case when ${isEnded} then now() end,
      case when ${build.job === "failed"} then 'broken' end)`.execute(db);
  await sql`insert into workspace_builds
      (id, workspace_id, build_number, transition, template_version_id, initiator_id, job_id, reason)
    values (${buildId}, ${place.workspaceId}, ${build.number}, ${build.transition},
      ${place.versionId}, ${place.userId}, ${jobId}, 'initiator')`.execute(db);
  return { jobId, buildId };
}

/** Sets the state of a build's job. */
export async function setJob(db: Database, jobId: string, state: JobState): Promise<void> {
  const isEnded = state === "succeeded" || state === "failed";
  await db
    .updateTable("jobs")
    .set({
      started_at: state === "pending" ? null : sql`now()`,
      completed_at: isEnded ? sql`now()` : null,
      error: state === "failed" ? "broken" : null,
    })
    .where("id", "=", jobId)
    .execute();
}

/** Creates an agent of a build, with that token and an empty log; resolves to its id. */
export async function seedAgent(
  db: Database,
  { buildId, jobId }: SeededBuild,
  token: string = randomUUID(),
): Promise<string> {
  const [resourceId, agentId] = [randomUUID(), randomUUID()];
  await sql`insert into workspace_resources (id, job_id, workspace_transition, type, name)
    values (${resourceId}, ${jobId}, 'start', 'process', 'dev')`.execute(db);
  await sql`insert into workspace_agents
      (id, resource_id, workspace_build_id, name, auth_token_hash, auth_token_encrypted,
        architecture, operating_system)
    values (${agentId}, ${resourceId}, ${buildId}, 'main', ${hashAgentToken(token)}, '', 'amd64',
      'linux')`.execute(db);
  await sql`insert into workspace_agent_log_positions (workspace_agent_id)
    values (${agentId})`.execute(db);
  return agentId;
}
