import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import { hasSucceeded } from "../../platform/jobs/job-sql.ts";
import { driverResources } from "./resource-queries.ts";

/**
 * Reads the newest successful build before a number, with its driver. A later start for another owner is a claim if
 * this build is a start too (docs/claims.md).
 */
export function selectLastSucceeded(db: Queryable, workspaceId: string, before: number) {
  return db
    .selectFrom("workspace_builds as b")
    .innerJoin("jobs as j", "j.id", "b.job_id")
    .innerJoin("template_versions as v", "v.id", "b.template_version_id")
    .where("b.workspace_id", "=", workspaceId)
    .where("b.build_number", "<", before)
    .where(hasSucceeded("j"))
    .orderBy("b.build_number", "desc")
    .select([
      "b.id",
      "b.transition",
      "b.owner_id",
      sql<string>`v.definition ->> 'driver'`.as("driver"),
    ])
    .select(driverResources(sql.ref("b.job_id")).as("resources"))
    .executeTakeFirst();
}
