import type { WorkspaceResource } from "@slipway/api";
import type { NamedValue, TemplateDefinition } from "@slipway/template";
import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";

export async function insertPlan(
  db: Queryable,
  jobId: string,
  resources: readonly WorkspaceResource[],
): Promise<void> {
  await db
    .insertInto("job_plans")
    .values({ job_id: jobId, resources: JSON.stringify(resources) })
    .execute();
}

/** Selects the plan of a job; undefined when it planned nothing, or is older than stored plans. */
export async function selectPlan(
  db: Queryable,
  jobId: string,
): Promise<WorkspaceResource[] | undefined> {
  const row = await db
    .selectFrom("job_plans")
    .where("job_id", "=", jobId)
    // Written by `insertPlan` alone.
    .select(sql<WorkspaceResource[]>`resources`.as("resources"))
    .executeTakeFirst();
  return row?.resources;
}

export interface InsertDryRun {
  readonly jobId: string;
  readonly versionId: string;
  readonly workspaceName: string;
  readonly parameters: readonly NamedValue[];
}

export async function insertDryRun(db: Queryable, input: InsertDryRun): Promise<void> {
  await db
    .insertInto("template_version_dry_runs")
    .values({
      job_id: input.jobId,
      template_version_id: input.versionId,
      workspace_name: input.workspaceName,
      parameters: JSON.stringify(input.parameters),
    })
    .execute();
}

/** Counts a user's dry runs that have not ended. */
export async function countOpenDryRuns(db: Queryable, userId: string): Promise<number> {
  const row = await db
    .selectFrom("jobs")
    .where("type", "=", sql.lit("template_version_dry_run"))
    .where("initiator_id", "=", userId)
    .where("completed_at", "is", null)
    .select(sql<number>`count(*)`.as("count"))
    .executeTakeFirstOrThrow();
  return row.count;
}

/** Removes the ended dry runs of a user except for the newest, with their logs and plans. */
export async function deleteOldDryRuns(db: Queryable, userId: string, kept: number): Promise<void> {
  await sql`delete from jobs where id in (
    select id from jobs
      where type = 'template_version_dry_run' and initiator_id = ${userId} and completed_at is not null
      order by created_at desc offset ${kept})`.execute(db);
}

/** Selects a dry run, with everything that its texts may reference. */
export function selectDryRun(db: Queryable, jobId: string) {
  return (
    db
      .selectFrom("template_version_dry_runs as run")
      .innerJoin("jobs as job", "job.id", "run.job_id")
      .innerJoin("users as u", "u.id", "job.initiator_id")
      .innerJoin("template_versions as v", "v.id", "run.template_version_id")
      .leftJoin("templates as t", "t.id", "v.template_id")
      .where("run.job_id", "=", jobId)
      .select([
        "run.template_version_id",
        "run.workspace_name",
        "job.initiator_id",
        "job.created_at",
        "u.username",
        "u.name as user_name",
        "u.email",
        "v.name as version_name",
        "t.name as template_name",
      ])
      // From the request, validated on arrival.
      .select(sql<readonly NamedValue[]>`run.parameters`.as("parameters"))
      // Written only by the import, from a validated definition.
      .select(sql<TemplateDefinition | null>`v.definition`.as("definition"))
      .executeTakeFirst()
  );
}

export type DryRunRow = NonNullable<Awaited<ReturnType<typeof selectDryRun>>>;
