import { sql } from "kysely";

import type { Queryable } from "../db/database.ts";

function templates(db: Queryable) {
  return db
    .selectFrom("templates as t")
    .innerJoin("organizations as o", "o.id", "t.organization_id")
    .innerJoin("users as u", "u.id", "t.created_by")
    .where("t.deleted", "=", false)
    .select([
      "t.id",
      "t.organization_id",
      "o.name as organization_name",
      "o.display_name as organization_display_name",
      "o.icon as organization_icon",
      "t.name",
      "t.display_name",
      "t.description",
      "t.icon",
      "t.active_version_id",
      "t.created_by",
      "u.username as created_by_name",
      "t.created_at",
      "t.updated_at",
    ])
    .select((eb) =>
      eb
        .selectFrom("workspaces as w")
        .whereRef("w.template_id", "=", "t.id")
        .where("w.deleted", "=", false)
        .select(sql<number>`count(distinct w.owner_id)`.as("count"))
        .as("active_user_count"),
    );
}

export function selectTemplates(db: Queryable, exactName: string | undefined) {
  const all = templates(db).orderBy("t.name");
  return (
    exactName === undefined ? all : all.where(sql`lower(t.name)`, "=", exactName.toLowerCase())
  ).execute();
}

export function selectTemplate(db: Queryable, id: string) {
  return templates(db).where("t.id", "=", id).executeTakeFirst();
}

export function selectTemplateByName(db: Queryable, organizationId: string, name: string) {
  return templates(db)
    .where("t.organization_id", "=", organizationId)
    .where(sql`lower(t.name)`, "=", name.toLowerCase())
    .executeTakeFirst();
}

export type TemplateRow = NonNullable<Awaited<ReturnType<typeof selectTemplate>>>;

export interface InsertTemplate {
  readonly organizationId: string;
  readonly name: string;
  readonly displayName: string;
  readonly description: string;
  readonly icon: string;
  readonly activeVersionId: string;
  readonly createdBy: string;
}

export async function insertTemplate(db: Queryable, input: InsertTemplate): Promise<string> {
  const row = await db
    .insertInto("templates")
    .values({
      organization_id: input.organizationId,
      name: input.name,
      display_name: input.displayName,
      description: input.description,
      icon: input.icon,
      active_version_id: input.activeVersionId,
      created_by: input.createdBy,
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  return row.id;
}

export async function updateActiveVersion(
  db: Queryable,
  templateId: string,
  versionId: string,
): Promise<void> {
  await db
    .updateTable("templates")
    .set({ active_version_id: versionId, updated_at: sql`now()` })
    .where("id", "=", templateId)
    .execute();
}
