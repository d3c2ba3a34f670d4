import type { TemplateDefinition } from "@slipway/template";
import { sql } from "kysely";
import { jsonArrayFrom } from "kysely/helpers/postgres";

import type { Queryable } from "../../platform/db/database.ts";
import { prepareQuery } from "../../platform/db/prepared-query.ts";
import { isReplaced } from "../../platform/jobs/build-sql.ts";
import { hasSucceeded } from "../../platform/jobs/job-sql.ts";

/** The workspace of a build, its owner and its template, as told to the build's agents. */
export const subjectColumns = [
  "w.id as workspace_id",
  "w.name as workspace_name",
  "owner.id as owner_id",
  "owner.username as owner_username",
  "owner.name as owner_name",
  "owner.email as owner_email",
  "t.name as template_name",
] as const;

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
        "b.driver_state",
        "b.owner_id as build_owner_id",
        ...subjectColumns,
        "v.name as template_version_name",
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

export async function selectBuildContext(db: Queryable, jobId: string) {
  const [context] = await contextsOfJob(db, jobId);
  return context;
}

const contextsOfJob = prepareQuery((db, jobId: string) =>
  buildContexts(db).where("b.job_id", "=", jobId),
);

export type BuildContext = NonNullable<Awaited<ReturnType<typeof selectBuildContext>>>;

/** Reads the workspaces that should be running on this worker's machine. */
export function selectRunningBuilds(db: Queryable, workerId: string) {
  return buildContexts(db)
    .where("b.transition", "=", "start")
    .where("w.deleted", "=", sql.lit(false))
    .where("j.worker_id", "=", workerId)
    .where(hasSucceeded("j"))
    .where(sql<boolean>`not ${isReplaced("b")}`)
    .execute();
}

/** Reads the newest start before a number whose agents have not ended: the running processes are theirs. */
export function selectLastStart(db: Queryable, workspaceId: string, before: number) {
  return db
    .selectFrom("workspace_builds as b")
    .where("b.workspace_id", "=", workspaceId)
    .where("b.transition", "=", "start")
    .where("b.build_number", "<", before)
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom("workspace_agents as agent")
          .whereRef("agent.workspace_build_id", "=", "b.id")
          .where("agent.deleted", "=", sql.lit(false))
          .select("agent.id"),
      ),
    )
    .innerJoin("template_versions as v", "v.id", "b.template_version_id")
    .orderBy("b.build_number", "desc")
    .select(["b.id", "b.owner_id", sql<string>`v.definition ->> 'driver'`.as("driver")])
    .executeTakeFirst();
}

/** Reads the state that a driver left with the newest build before a number, ignoring the state of other drivers. */
export async function selectDriverState(
  db: Queryable,
  {
    workspaceId,
    before,
    driver,
  }: { readonly workspaceId: string; readonly before: number; readonly driver: string },
): Promise<Uint8Array | undefined> {
  const row = await db
    .selectFrom("workspace_builds as b")
    .innerJoin("template_versions as v", "v.id", "b.template_version_id")
    .where("b.workspace_id", "=", workspaceId)
    .where("b.build_number", "<", before)
    .where("b.driver_state", "is not", null)
    .where(sql<string>`v.definition ->> 'driver'`, "=", driver)
    .orderBy("b.build_number", "desc")
    .select("b.driver_state")
    .executeTakeFirst();
  return row?.driver_state ?? undefined;
}

export async function updateDriverState(
  db: Queryable,
  buildId: string,
  state: Uint8Array | undefined,
): Promise<void> {
  await db
    .updateTable("workspace_builds")
    .set({ driver_state: state === undefined ? null : Buffer.from(state), updated_at: sql`now()` })
    .where("id", "=", buildId)
    .execute();
}

export async function markWorkspaceDeleted(db: Queryable, workspaceId: string): Promise<void> {
  await db
    .updateTable("workspaces")
    .set({ deleted: true, updated_at: sql`now()` })
    .where("id", "=", workspaceId)
    .execute();
}
