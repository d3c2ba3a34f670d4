import type { TemplateDefinition } from "@slipway/template";
import { type Selectable, sql } from "kysely";
import { jsonArrayFrom } from "kysely/helpers/postgres";

import type { Queryable } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { prepareQuery } from "../../platform/db/prepared-query.ts";
import { matchedProvisioners } from "../../platform/jobs/worker-sql.ts";

function versions(db: Queryable) {
  return (
    db
      .selectFrom("template_versions as v")
      .innerJoin("users as u", "u.id", "v.created_by")
      .innerJoin("jobs as import", "import.id", "v.job_id")
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
        "import.tags as pushed_tags",
        matchedProvisioners("import").as("matched_provisioners"),
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

/** Selects the notes of a version's driver. */
export async function selectDriverNotes(
  db: Queryable,
  id: string,
): Promise<Uint8Array | undefined> {
  const row = await db
    .selectFrom("template_versions")
    .where("id", "=", id)
    .select("driver_notes")
    .executeTakeFirst();
  return row?.driver_notes ?? undefined;
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

/** The settings of a template that apply to workspaces created from it. */
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
    .orderBy("v.id")
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
