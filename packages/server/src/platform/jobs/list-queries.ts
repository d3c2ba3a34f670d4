import { nilUuid } from "@slipway/api/contract/nil-uuid";
import type { JobStatus } from "@slipway/api/jobs/job";
import { type SqlBool, sql } from "kysely";

import type { Queryable } from "../db/database.ts";
import { jobStatus } from "./job-sql.ts";

export interface JobFilter {
  readonly organizationId: string;
  /** Undefined for all users. */
  readonly initiatorId: string | undefined;
  readonly ids: readonly string[] | undefined;
  readonly statuses: readonly JobStatus[] | undefined;
  readonly limit: number;
}

/** Returns ids of jobs, newest first, each with its subject. */
export function selectJobList(db: Queryable, filter: JobFilter) {
  const { initiatorId, statuses } = filter;
  // An empty list of ids matches nothing: no job has the nil one.
  const ids = filter.ids && [...filter.ids, nilUuid];
  return db
    .selectFrom("jobs as job")
    .leftJoin("workspace_builds as build", "build.job_id", "job.id")
    .leftJoin("workspaces as w", "w.id", "build.workspace_id")
    .leftJoin("template_versions as v", (join) =>
      join.on(sql<SqlBool>`v.id = coalesce(build.template_version_id, job.template_version_id)`),
    )
    .leftJoin("templates as t", "t.id", "v.template_id")
    .where("job.organization_id", "=", filter.organizationId)
    .$if(initiatorId !== undefined, (all) => all.where("job.initiator_id", "=", initiatorId ?? ""))
    .$if(ids !== undefined, (all) => all.where("job.id", "in", ids ?? []))
    .$if(statuses !== undefined, (all) =>
      all.where(jobStatus("job").$castTo<JobStatus>(), "in", [...(statuses ?? [])]),
    )
    .orderBy("job.created_at", "desc")
    .limit(filter.limit)
    .select([
      "job.id",
      "v.name as version_name",
      "t.id as template_id",
      "t.name as template_name",
      "t.display_name as template_display_name",
      "t.icon as template_icon",
      "w.id as workspace_id",
      "w.name as workspace_name",
      "build.transition",
    ])
    .execute();
}

export type ListedJobRow = Awaited<ReturnType<typeof selectJobList>>[number];
