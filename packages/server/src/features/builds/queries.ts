import type { WorkspaceResource } from "@slipway/api/builds/resource";
import type { DriverResource } from "@slipway/drivers";
import { type RawBuilder, sql } from "kysely";
import { jsonArrayFrom } from "kysely/helpers/postgres";

import type { Queryable } from "../../platform/db/database.ts";
import { prepareQuery } from "../../platform/db/prepared-query.ts";
import { apiTimestamp } from "../../platform/db/timestamp.ts";
import { newestBuild } from "../../platform/jobs/build-sql.ts";
import { jobObject } from "../../platform/jobs/job-sql.ts";
import { agentsOn } from "../agents/service.ts";
import { hasDeclaredExternalAgents } from "../templates/external-agents-service.ts";

/** Selects builds as clients see them, each with its workspace `w`, its resources and their agents. */
export function builds(db: Queryable) {
  return db
    .selectFrom("workspace_builds as b")
    .innerJoin("workspaces as w", "w.id", "b.workspace_id")
    .innerJoin("users as owner", "owner.id", "w.owner_id")
    .innerJoin("users as initiator", "initiator.id", "b.initiator_id")
    .innerJoin("template_versions as v", "v.id", "b.template_version_id")
    .select([
      "b.id",
      "b.workspace_id",
      "w.name as workspace_name",
      "w.owner_id",
      "owner.username as owner_name",
      "b.build_number",
      "b.transition",
      "b.template_version_id",
      "v.name as template_version_name",
      "b.template_version_preset_id",
      "b.initiator_id",
      "initiator.username as initiator_name",
      "b.job_id",
      "b.reason",
      "b.deadline",
      "b.max_deadline",
      "b.created_at",
      "b.updated_at",
      sql<string | null>`v.definition ->> 'driver'`.as("driver"),
      hasDeclaredExternalAgents("v.definition").as("has_external_agents"),
      jobObject(sql.ref("b.job_id")).as("job"),
    ])
    .select((build) =>
      jsonArrayFrom(
        build
          .selectFrom("workspace_resources as resource")
          .whereRef("resource.job_id", "=", "b.job_id")
          .orderBy("resource.name")
          .select([
            "resource.id",
            "resource.job_id",
            "resource.workspace_transition",
            "resource.type",
            "resource.name",
            "resource.icon",
            "resource.hide",
            "resource.daily_cost",
          ])
          // Written by `metadataJson` only.
          .select(sql<WorkspaceResource["metadata"]>`resource.metadata`.as("metadata"))
          .select(apiTimestamp("resource.created_at").as("created_at"))
          .select(agentsOn(db, sql.ref("resource.id")).as("agents")),
      ).as("resources"),
    );
}

export function selectBuild(db: Queryable, id: string) {
  return builds(db).where("b.id", "=", id).executeTakeFirst();
}

export function selectBuildByNumber(db: Queryable, workspaceId: string, number: number) {
  return builds(db)
    .where("b.workspace_id", "=", workspaceId)
    .where("b.build_number", "=", number)
    .executeTakeFirst();
}

export function selectBuilds(db: Queryable, workspaceId: string) {
  return builds(db)
    .where("b.workspace_id", "=", workspaceId)
    .orderBy("b.build_number", "desc")
    .execute();
}

/** Reads the newest build of each workspace. */
export const selectNewestBuilds = prepareQuery((db, workspaceIds: readonly string[]) =>
  builds(db).where(isNewestOf(workspaceIds)).orderBy("b.workspace_id"),
);

/** Returns the condition that a build `b` is the newest of one of these workspaces. */
export function isNewestOf(workspaceIds: readonly string[]): RawBuilder<boolean> {
  return sql<boolean>`b.id = any(array(
    select newest.id from unnest(${workspaceIds}::uuid[]) wanted (id)
      cross join lateral ${newestBuild(sql`wanted.id`)} newest))`;
}

export type BuildRow = NonNullable<Awaited<ReturnType<typeof selectBuild>>>;

/** Reads the newest build, with whether people start agents of its version by hand. */
export function selectNewestStartable(db: Queryable, workspaceId: string) {
  return db
    .selectFrom(newestBuild(sql.val(workspaceId)).as("b"))
    .innerJoin("template_versions as v", "v.id", "b.template_version_id")
    .select(["b.id", "b.transition"])
    .select(hasDeclaredExternalAgents("v.definition").as("has_external_agents"))
    .executeTakeFirst();
}

/** Reads the newest build, with what determines the next. */
export function selectLastBuild(db: Queryable, workspaceId: string) {
  return db
    .selectFrom(newestBuild(sql.val(workspaceId)).as("b"))
    .innerJoin("jobs as j", "j.id", "b.job_id")
    .innerJoin("template_versions as v", "v.id", "b.template_version_id")
    .select([
      "b.id",
      "b.job_id",
      "b.owner_id",
      "b.build_number",
      "b.transition",
      "b.template_version_id",
      "b.template_version_preset_id",
      "j.completed_at",
      "j.worker_id",
      sql<string>`v.definition ->> 'driver'`.as("driver"),
    ])
    .executeTakeFirst();
}

/** Selects the resources of the newest build that has any, as far as the server knows. */
export function selectLastResources(db: Queryable, workspaceId: string) {
  const owning = db
    .selectFrom("workspace_builds as b")
    .where("b.workspace_id", "=", workspaceId)
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom("workspace_resources as resource")
          .whereRef("resource.job_id", "=", "b.job_id")
          .select("resource.id"),
      ),
    )
    .orderBy("b.build_number", "desc")
    .limit(1)
    .select("b.job_id");
  return db
    .selectFrom("workspace_resources")
    .where("job_id", "=", owning)
    .orderBy("type")
    .orderBy("name")
    .select(["type", "name"])
    .execute();
}

export async function markWorkspaceDeleted(db: Queryable, workspaceId: string): Promise<void> {
  await db
    .updateTable("workspaces")
    .set({ deleted: true, updated_at: sql`now()` })
    .where("id", "=", workspaceId)
    .execute();
}

export function selectParameters(db: Queryable, buildId: string) {
  return db
    .selectFrom("workspace_build_parameters")
    .where("workspace_build_id", "=", buildId)
    .orderBy("name")
    .select(["name", "value"])
    .execute();
}

/** Selects the resources that the build of a job created, as its driver named them, with the root agents in each. */
export function driverResources(jobId: RawBuilder<string>): RawBuilder<readonly DriverResource[]> {
  return sql`(
    select coalesce(jsonb_agg(jsonb_build_object(
        'type', r.type, 'name', r.name, 'icon', r.icon,
        'agentNames', array(
          select a.name from workspace_agents a
            where a.resource_id = r.id and a.parent_id is null and not a.deleted
            order by a.name)) order by r.name), '[]')
      from workspace_resources r where r.job_id = ${jobId})`;
}
