import type { BuildParameter, BuildReason, Transition } from "@slipway/api";
import { sql } from "kysely";

import type { Queryable } from "../db/database.ts";
import type { NewRows } from "../db/insert-rows.ts";
import type { TemplateDefinition } from "../template-format/definition.ts";
import { driverResources } from "./resource-queries.ts";

function builds(db: Queryable) {
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
    ]);
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

/** The newest build of each workspace. */
export function selectNewestBuilds(db: Queryable, workspaceIds: readonly string[]) {
  return builds(db)
    .where("b.workspace_id", "in", workspaceIds)
    .distinctOn("b.workspace_id")
    .orderBy("b.workspace_id")
    .orderBy("b.build_number", "desc")
    .execute();
}

export type BuildRow = NonNullable<Awaited<ReturnType<typeof selectBuild>>>;

/** The newest build, with the driver that carried it out. */
export function selectNewestDriverBuild(db: Queryable, workspaceId: string) {
  return db
    .selectFrom("workspace_builds as b")
    .innerJoin("template_versions as v", "v.id", "b.template_version_id")
    .where("b.workspace_id", "=", workspaceId)
    .orderBy("b.build_number", "desc")
    .select(["b.id", "b.transition", sql<string>`v.definition ->> 'driver'`.as("driver")])
    .executeTakeFirst();
}

export type NewestDriverBuild = NonNullable<Awaited<ReturnType<typeof selectNewestDriverBuild>>>;

/** Holds off other builds of the workspace until the transaction ends; resolves to its owner's id. */
export async function lockWorkspace(db: Queryable, workspaceId: string): Promise<string> {
  const row = await db
    .selectFrom("workspaces")
    .where("id", "=", workspaceId)
    .select("owner_id")
    .forUpdate()
    .executeTakeFirstOrThrow();
  return row.owner_id;
}

/** The newest build, with what decides about the next. */
export function selectLastBuild(db: Queryable, workspaceId: string) {
  return db
    .selectFrom("workspace_builds as b")
    .innerJoin("jobs as j", "j.id", "b.job_id")
    .where("b.workspace_id", "=", workspaceId)
    .orderBy("b.build_number", "desc")
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
    ])
    .executeTakeFirst();
}

/** The workspace of a build, its owner and its template, as the build's agents are told of them. */
const subjectColumns = [
  "w.id as workspace_id",
  "w.name as workspace_name",
  "owner.id as owner_id",
  "owner.username as owner_username",
  "owner.name as owner_name",
  "owner.email as owner_email",
  "t.name as template_name",
] as const;

/** When a workspace `w` that starts now ends by itself; null: never. */
const endOfLife = sql<string | null>`now() + w.ttl_ms * interval '1 millisecond'`;

/** What a claim stands on: a workspace that has its new owner, and the build that its agents are of. */
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

export interface InsertBuild {
  readonly workspaceId: string;
  /** For whom it is. */
  readonly ownerId: string;
  readonly number: number;
  readonly transition: Transition;
  readonly versionId: string;
  readonly presetId: string | undefined;
  readonly initiatorId: string;
  readonly jobId: string;
  readonly reason: BuildReason;
}

export async function insertBuild(db: Queryable, input: InsertBuild): Promise<string> {
  const row = await db
    .insertInto("workspace_builds")
    .values(buildColumns(input))
    .returning("id")
    .executeTakeFirstOrThrow();
  return row.id;
}

/** The rows of a build that is done with the transaction; `deadline` is when its workspace ends by itself. */
export function doneBuildRows(
  id: string,
  input: InsertBuild & { readonly deadline: string | null },
  parameters: readonly BuildParameter[],
): readonly NewRows[] {
  const { deadline } = input;
  return [
    { table: "workspace_builds", rows: [{ id, ...buildColumns(input), deadline }] },
    { table: "workspace_build_parameters", rows: parameterRows(id, parameters) },
  ];
}

function buildColumns(input: InsertBuild) {
  return {
    workspace_id: input.workspaceId,
    owner_id: input.ownerId,
    build_number: input.number,
    transition: input.transition,
    template_version_id: input.versionId,
    template_version_preset_id: input.presetId ?? null,
    initiator_id: input.initiatorId,
    job_id: input.jobId,
    reason: input.reason,
  };
}

export async function insertParameters(
  db: Queryable,
  buildId: string,
  parameters: readonly BuildParameter[],
): Promise<void> {
  if (parameters.length === 0) return;
  await db
    .insertInto("workspace_build_parameters")
    .values(parameterRows(buildId, parameters))
    .execute();
}

function parameterRows(buildId: string, parameters: readonly BuildParameter[]) {
  return parameters.map(({ name, value }) => ({ workspace_build_id: buildId, name, value }));
}

export function selectParameters(db: Queryable, buildId: string) {
  return db
    .selectFrom("workspace_build_parameters")
    .where("workspace_build_id", "=", buildId)
    .orderBy("name")
    .select(["name", "value"])
    .execute();
}

/** All that carrying out a build needs to know. */
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
        "b.driver_state",
        "b.owner_id as build_owner_id",
        ...subjectColumns,
        "v.name as template_version_name",
      ])
      // An import that failed has no build, so the definition is there.
      .select(sql<TemplateDefinition>`v.definition`.as("definition"))
  );
}

export function selectBuildContext(db: Queryable, jobId: string) {
  return buildContexts(db).where("b.job_id", "=", jobId).executeTakeFirst();
}

export type BuildContext = NonNullable<Awaited<ReturnType<typeof selectBuildContext>>>;

/** Workspaces that should be running on this worker's machine. */
export function selectRunningBuilds(db: Queryable, workerId: string) {
  return buildContexts(db)
    .where("b.transition", "=", "start")
    .where("w.deleted", "=", sql.lit(false))
    .where("j.worker_id", "=", workerId)
    .where("j.completed_at", "is not", null)
    .where("j.error", "is", null)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom("workspace_builds as later")
            .whereRef("later.workspace_id", "=", "b.workspace_id")
            .whereRef("later.build_number", ">", "b.build_number")
            .select("later.id"),
        ),
      ),
    )
    .execute();
}

/** The newest start build up to a number, whose agents are the ones that run. */
export function selectLastStart(db: Queryable, workspaceId: string, upTo: number) {
  return db
    .selectFrom("workspace_builds")
    .where("workspace_id", "=", workspaceId)
    .where("transition", "=", "start")
    .where("build_number", "<=", upTo)
    .orderBy("build_number", "desc")
    .select(["id", "build_number"])
    .executeTakeFirst();
}

/** The driver's state of the newest build before a number that has one. */
export async function selectDriverState(
  db: Queryable,
  workspaceId: string,
  before: number,
): Promise<Uint8Array | undefined> {
  const row = await db
    .selectFrom("workspace_builds")
    .where("workspace_id", "=", workspaceId)
    .where("build_number", "<", before)
    .where("driver_state", "is not", null)
    .orderBy("build_number", "desc")
    .select("driver_state")
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

/** A start that is done ends by itself after its workspace's time to live; without one, never. */
export async function updateDeadline(db: Queryable, buildId: string): Promise<void> {
  await sql`
    update workspace_builds b
      set deadline = least(${endOfLife}, b.max_deadline)
      from workspaces w
      where b.id = ${buildId} and w.id = b.workspace_id and w.ttl_ms is not null`.execute(db);
}

export async function markWorkspaceDeleted(db: Queryable, workspaceId: string): Promise<void> {
  await db
    .updateTable("workspaces")
    .set({ deleted: true, updated_at: sql`now()` })
    .where("id", "=", workspaceId)
    .execute();
}

/**
 * The newest build before a number that succeeded. A start after it, for another owner, is a claim if it is a start too
 * (docs/claims.md).
 */
export function selectLastSucceeded(db: Queryable, workspaceId: string, before: number) {
  return db
    .selectFrom("workspace_builds as b")
    .innerJoin("jobs as j", "j.id", "b.job_id")
    .where("b.workspace_id", "=", workspaceId)
    .where("b.build_number", "<", before)
    .where("j.completed_at", "is not", null)
    .where("j.error", "is", null)
    .where("j.canceled_at", "is", null)
    .orderBy("b.build_number", "desc")
    .select(["b.id", "b.transition", "b.owner_id"])
    .select(driverResources(sql.ref("b.job_id")).as("resources"))
    .executeTakeFirst();
}
