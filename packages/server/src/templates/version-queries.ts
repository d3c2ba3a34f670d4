import { sql } from "kysely";

import type { Queryable } from "../db/database.ts";
import type { TemplateDefinition } from "../template-format/definition.ts";

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
      // Written by the import alone, from a definition that was checked.
      .select(sql<TemplateDefinition | null>`v.definition`.as("definition"))
  );
}

export function selectVersion(db: Queryable, id: string) {
  return versions(db).where("v.id", "=", id).executeTakeFirst();
}

export function selectVersions(db: Queryable, templateId: string) {
  return versions(db).where("v.template_id", "=", templateId).orderBy("v.created_at").execute();
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

export async function insertPresets(
  db: Queryable,
  versionId: string,
  names: readonly string[],
): Promise<void> {
  if (names.length === 0) return;
  await db
    .insertInto("template_version_presets")
    .values(names.map((name) => ({ template_version_id: versionId, name })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export function selectPresets(db: Queryable, versionId: string) {
  return db
    .selectFrom("template_version_presets")
    .where("template_version_id", "=", versionId)
    .select(["id", "name"])
    .execute();
}

/** Ties a version that was imported for no template yet to its template; false when it has another. */
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
