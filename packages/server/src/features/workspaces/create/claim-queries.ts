import { sql } from "kysely";

import type { Queryable } from "../../../platform/db/database.ts";
import { subjectColumns } from "../../builds/context-queries.ts";
import { endOfLife } from "../../builds/deadline-queries.ts";
import { driverResources } from "../../builds/resource-queries.ts";

/** Reads the basis of a claim: a workspace with its new owner, and the build that its agents belong to. */
export function selectClaimed(db: Queryable, workspaceId: string) {
  return db
    .selectFrom("workspaces as w")
    .innerJoin("users as owner", "owner.id", "w.owner_id")
    .innerJoin("templates as t", "t.id", "w.template_id")
    .innerJoin("workspace_builds as b", "b.workspace_id", "w.id")
    .innerJoin("jobs as j", "j.id", "b.job_id")
    .where("w.id", "=", workspaceId)
    .orderBy("b.build_number", "desc")
    .select([
      ...subjectColumns,
      "b.id as build_id",
      "b.owner_id as build_owner_id",
      "b.build_number",
      "b.transition",
      "j.worker_id",
    ])
    .select(driverResources(sql.ref("b.job_id")).as("resources"))
    .select(endOfLife.as("deadline"))
    .limit(1)
    .executeTakeFirst();
}
