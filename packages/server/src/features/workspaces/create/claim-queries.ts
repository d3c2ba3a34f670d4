import { sql } from "kysely";

import type { Queryable } from "../../../platform/db/database.ts";
import { prepareQuery } from "../../../platform/db/prepared-query.ts";
import { newestBuild } from "../../../platform/jobs/build-sql.ts";
import { subjectColumns } from "../../builds/context-queries.ts";
import { endOfLife } from "../../builds/deadline-queries.ts";
import { driverResources } from "../../builds/resource-queries.ts";

const claimedWorkspaces = prepareQuery((db, workspaceId: string) =>
  db
    .selectFrom("workspaces as w")
    .innerJoin("users as owner", "owner.id", "w.owner_id")
    .innerJoin("templates as t", "t.id", "w.template_id")
    .innerJoinLateral(newestBuild(sql.ref("w.id")).as("b"), (join) => join.onTrue())
    .innerJoin("jobs as j", "j.id", "b.job_id")
    .where("w.id", "=", workspaceId)
    .select([
      ...subjectColumns,
      "b.id as build_id",
      "b.owner_id as build_owner_id",
      "b.build_number",
      "b.transition",
      "j.worker_id",
    ])
    .select(driverResources(sql.ref("b.job_id")).as("resources"))
    .select(endOfLife.as("deadline")),
);

/** Reads the basis of a claim: a workspace with its new owner, and the build that its agents belong to. */
export async function selectClaimed(
  db: Queryable,
  workspaceId: string,
): Promise<Awaited<ReturnType<typeof claimedWorkspaces>>[number] | undefined> {
  const [row] = await claimedWorkspaces(db, workspaceId);
  return row;
}
