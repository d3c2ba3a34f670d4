import type { PresetDefinition, TemplateDefinition } from "@slipway/template";
import { type Selectable, sql } from "kysely";
import { jsonArrayFrom } from "kysely/helpers/postgres";

import type { Queryable } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { prepareQuery } from "../../platform/db/prepared-query.ts";
import { newestBuild } from "../../platform/jobs/build-sql.ts";

function versions(db: Queryable) {
  return (
    db
      .selectFrom("template_versions as v")
      .innerJoin("users as u", "u.id", "v.created_by")
      .leftJoin("templates as t", "t.id", "v.template_id")
      .select([
        "v.id",
        "v.template_id",
        "t.name as template_name",
        "v.organization_id",
        "v.name",
        "v.message",
        "v.readme",
        "v.job_id",
        "v.file_id",
        "v.archived",
        "v.created_by",
        "u.username as created_by_username",
        "u.name as created_by_name",
        "v.created_at",
        "v.updated_at",
      ])
      // Written only by the import, from a validated definition.
      .select(sql<TemplateDefinition | null>`v.definition`.as("definition"))
      .select((version) =>
        jsonArrayFrom(
          version
            .selectFrom("template_version_presets as preset")
            .whereRef("preset.template_version_id", "=", "v.id")
            .select(["preset.id", "preset.name"]),
        ).as("presets"),
      )
  );
}

export function selectVersion(db: Queryable, id: string) {
  return versions(db).where("v.id", "=", id).executeTakeFirst();
}

const activeVersions = prepareQuery((db, templateId: string) =>
  versions(db)
    .innerJoin("templates as active", "active.active_version_id", "v.id")
    .where("active.id", "=", templateId)
    .where("active.deleted", "=", sql.lit(false))
    .select([
      "active.id as active_template_id",
      "active.name as active_template_name",
      "active.organization_id as active_template_organization_id",
      "active.deprecation_message",
      "active.default_ttl_ms",
      "active.allow_user_autostart",
      "active.allow_user_autostop",
      "active.require_active_version",
    ]),
);

/** A template as far as it determines the workspaces that are created from it. */
export type TemplateTerms = Pick<
  Selectable<DB["templates"]>,
  | "id"
  | "name"
  | "organization_id"
  | "active_version_id"
  | "deprecation_message"
  | "default_ttl_ms"
  | "allow_user_autostart"
  | "allow_user_autostop"
  | "require_active_version"
>;

/** Selects the active version of a template, and the template's terms, in one statement. */
export async function selectActiveVersion(
  db: Queryable,
  templateId: string,
): Promise<{ readonly template: TemplateTerms; readonly version: VersionRow } | undefined> {
  const [version] = await activeVersions(db, templateId);
  if (version === undefined) return undefined;
  const template = {
    id: version.active_template_id,
    name: version.active_template_name,
    organization_id: version.active_template_organization_id,
    active_version_id: version.id,
    deprecation_message: version.deprecation_message,
    default_ttl_ms: version.default_ttl_ms,
    allow_user_autostart: version.allow_user_autostart,
    allow_user_autostop: version.allow_user_autostop,
    require_active_version: version.require_active_version,
  };
  return { template, version };
}

export function selectVersions(db: Queryable, templateId: string, includeArchived: boolean) {
  return versions(db)
    .where("v.template_id", "=", templateId)
    .$if(!includeArchived, (all) => all.where("v.archived", "=", sql.lit(false)))
    .orderBy("v.created_at")
    .execute();
}

export function selectVersionByName(db: Queryable, templateId: string, name: string) {
  return versions(db)
    .where("v.template_id", "=", templateId)
    .where("v.name", "=", name)
    .executeTakeFirst();
}

/** Selects the newest imported version of a template from before a version. */
export function selectPreviousVersion(db: Queryable, templateId: string, versionId: string) {
  return versions(db)
    .where("v.template_id", "=", templateId)
    .where("v.definition", "is not", null)
    .where("v.created_at", "<", (eb) =>
      eb
        .selectFrom("template_versions as later")
        .where("later.id", "=", versionId)
        .select("later.created_at"),
    )
    .orderBy("v.created_at", "desc")
    .limit(1)
    .executeTakeFirst();
}

export type VersionRow = NonNullable<Awaited<ReturnType<typeof selectVersion>>>;

export interface InsertVersion {
  readonly templateId: string | undefined;
  readonly organizationId: string;
  readonly name: string;
  readonly message: string;
  readonly jobId: string;
  readonly fileId: string;
  readonly createdBy: string;
}

export async function insertVersion(db: Queryable, input: InsertVersion): Promise<string> {
  const row = await db
    .insertInto("template_versions")
    .values({
      template_id: input.templateId ?? null,
      organization_id: input.organizationId,
      name: input.name,
      message: input.message,
      job_id: input.jobId,
      file_id: input.fileId,
      created_by: input.createdBy,
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  await db
    .updateTable("jobs")
    .set({ template_version_id: row.id })
    .where("id", "=", input.jobId)
    .execute();
  return row.id;
}

/** Counts the versions that a user pushed in the last 24 hours. */
export async function countNewVersions(db: Queryable, userId: string): Promise<number> {
  const row = await db
    .selectFrom("template_versions")
    .where("created_by", "=", userId)
    .where("created_at", ">", sql<string>`now() - interval '24 hours'`)
    .select(sql<number>`count(*)`.as("count"))
    .executeTakeFirstOrThrow();
  return row.count;
}

export interface ImportedVersion {
  readonly definition: TemplateDefinition;
  readonly readme: string;
}

export async function updateImported(
  db: Queryable,
  id: string,
  imported: ImportedVersion,
): Promise<void> {
  await db
    .updateTable("template_versions")
    .set({
      definition: JSON.stringify(imported.definition),
      readme: imported.readme,
      updated_at: sql`now()`,
    })
    .where("id", "=", id)
    .execute();
}

/** Stores the presets of a version and their pools. */
export async function insertPresets(
  db: Queryable,
  versionId: string,
  presets: readonly PresetDefinition[],
): Promise<void> {
  if (presets.length === 0) return;
  const rows = await db
    .insertInto("template_version_presets")
    .values(
      presets.map(({ name, prebuilds }) => ({
        template_version_id: versionId,
        name,
        desired_instances: prebuilds?.instances ?? null,
        invalidate_after_secs: prebuilds?.expireAfterSeconds ?? 0,
        scheduling_timezone: prebuilds?.schedule?.timezone ?? "",
      })),
    )
    .returning(["id", "name"])
    .execute();
  const windows = presets.flatMap(({ name, prebuilds }) => {
    const presetId = rows.find((row) => row.name === name)?.id;
    if (presetId === undefined) return [];
    return (prebuilds?.schedule?.windows ?? []).map(({ cron, instances }) => ({
      preset_id: presetId,
      cron_expression: cron,
      desired_instances: instances,
    }));
  });
  if (windows.length === 0) return;
  await db.insertInto("template_version_preset_prebuild_schedules").values(windows).execute();
}

/** Assigns a version that was imported without a template to its template; false when it has another. */
export async function adoptVersion(
  db: Queryable,
  versionId: string,
  templateId: string,
): Promise<boolean> {
  const result = await db
    .updateTable("template_versions")
    .set({ template_id: templateId })
    .where("id", "=", versionId)
    .where("template_id", "is", null)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

export async function updateVersion(
  db: Queryable,
  id: string,
  changes: { readonly name: string | undefined; readonly message: string | undefined },
): Promise<void> {
  await db
    .updateTable("template_versions")
    .set({ ...changes, updated_at: sql`now()` })
    .where("id", "=", id)
    .execute();
}

export async function updateArchived(db: Queryable, id: string, archived: boolean): Promise<void> {
  await db
    .updateTable("template_versions")
    .set({ archived, updated_at: sql`now()` })
    .where("id", "=", id)
    .execute();
}

/** The condition that a template has the version as its active one, or the newest build of a live workspace uses it. */
const isUsed = sql<boolean>`(
  exists (select from templates t where t.active_version_id = v.id)
  or exists (
    select from workspaces w
    cross join lateral ${newestBuild(sql`w.id`)} newest
    where w.template_id = v.template_id and not w.deleted and newest.template_version_id = v.id
  ))`;

export async function selectIsUsed(db: Queryable, id: string): Promise<boolean> {
  const row = await db
    .selectFrom("template_versions as v")
    .where("v.id", "=", id)
    .select(isUsed.as("is_used"))
    .executeTakeFirstOrThrow();
  return row.is_used;
}

/** Archives the unused versions of a template whose import has ended; resolves to their ids. */
export async function archiveUnused(
  db: Queryable,
  templateId: string,
  onlyFailed: boolean,
): Promise<readonly string[]> {
  const rows = await db
    .updateTable("template_versions")
    .set({ archived: true, updated_at: sql`now()` })
    .where("id", "in", (eb) =>
      eb
        .selectFrom("template_versions as v")
        .innerJoin("jobs as job", "job.id", "v.job_id")
        .where("v.template_id", "=", templateId)
        .where("v.archived", "=", sql.lit(false))
        .where("job.completed_at", "is not", null)
        .$if(onlyFailed, (all) => all.where("job.error", "is not", null))
        .where(sql<boolean>`not ${isUsed}`)
        .select("v.id"),
    )
    .returning("id")
    .execute();
  return rows.map((row) => row.id);
}
