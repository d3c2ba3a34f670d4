import type { TemplateDefinition } from "@slipway/template";
import { sql } from "kysely";
import { jsonArrayFrom } from "kysely/helpers/postgres";

import type { Queryable } from "../../platform/db/database.ts";
import { prepareQuery } from "../../platform/db/prepared-query.ts";
import { isReplaced } from "../../platform/jobs/build-sql.ts";
import { hasSucceeded } from "../../platform/jobs/job-sql.ts";

export type BuildContext = Awaited<ReturnType<typeof contextsOfJob>>[number];

export async function selectBuildContext(
  db: Queryable,
  jobId: string,
): Promise<BuildContext | undefined> {
  const [context] = await contextsOfJob(db, jobId);
  return context;
}

/** Reads the builds of the workspaces that should be running on this worker's machine. */
export function selectRunningBuilds(db: Queryable, workerId: string): Promise<BuildContext[]> {
  return runningBuilds(db).where("j.worker_id", "=", workerId).execute();
}

/** Reads a build if its workspace should be running by it. */
export function selectRunningBuild(db: Queryable, id: string): Promise<BuildContext | undefined> {
  return runningBuilds(db).where("b.id", "=", id).executeTakeFirst();
}

function runningBuilds(db: Queryable) {
  return buildContexts(db)
    .where("b.transition", "=", "start")
    .where("w.deleted", "=", sql.lit(false))
    .where(hasSucceeded("j"))
    .where(sql<boolean>`not ${isReplaced("b")}`);
}

const contextsOfJob = prepareQuery((db, jobId: string) =>
  buildContexts(db).where("b.job_id", "=", jobId),
);

/** Selects everything needed to carry out a build. */
function buildContexts(db: Queryable) {
  return (
    db
      .selectFrom("workspace_builds as b")
      .innerJoin("workspaces as w", "w.id", "b.workspace_id")
      .innerJoin("users as owner", "owner.id", "w.owner_id")
      .innerJoin("template_versions as v", "v.id", "b.template_version_id")
      .innerJoin("templates as t", "t.id", "w.template_id")
      .innerJoin("jobs as j", "j.id", "b.job_id")
      .select([
        "b.id",
        "b.job_id",
        "b.build_number",
        "b.transition",
        "b.reason",
        "b.owner_id as build_owner_id",
        ...subjectColumns,
        "owner.roles as owner_roles",
        "w.organization_id",
        "owner.login_type as owner_login_type",
        "owner.status as owner_status",
        "v.name as template_version_name",
        "v.file_id",
        "v.driver_notes",
      ])
      // A failed import has no build, so the definition is present.
      .select(sql<TemplateDefinition>`v.definition`.as("definition"))
      .select((build) => [
        jsonArrayFrom(
          build
            .selectFrom("workspace_build_parameters as parameter")
            .whereRef("parameter.workspace_build_id", "=", "b.id")
            .orderBy("parameter.name")
            .select(["parameter.name", "parameter.value"]),
        ).as("parameters"),
        build
          .exists(
            build
              .selectFrom("workspace_resources as resource")
              .whereRef("resource.job_id", "=", "b.job_id")
              .select("resource.id"),
          )
          .as("has_resources"),
      ])
  );
}

/** The workspace of a build, its owner and its template, as told to the build's agents. */
export const subjectColumns = [
  "w.id as workspace_id",
  "w.name as workspace_name",
  "owner.id as owner_id",
  "owner.username as owner_username",
  "owner.name as owner_name",
  "owner.email as owner_email",
  "t.id as template_id",
  "t.name as template_name",
] as const;
