import { sql } from "kysely";

import type { Queryable } from "../db/database.ts";

function workspaces(db: Queryable) {
  return db
    .selectFrom("workspaces as w")
    .innerJoin("users as owner", "owner.id", "w.owner_id")
    .innerJoin("organizations as o", "o.id", "w.organization_id")
    .innerJoin("templates as t", "t.id", "w.template_id")
    .select([
      "w.id",
      "w.owner_id",
      "owner.username as owner_name",
      "w.organization_id",
      "o.name as organization_name",
      "w.template_id",
      "t.name as template_name",
      "t.display_name as template_display_name",
      "t.icon as template_icon",
      "t.active_version_id as template_active_version_id",
      "w.name",
      "w.deleted",
      "w.last_used_at",
      "w.created_at",
      "w.updated_at",
    ]);
}

export function selectWorkspace(db: Queryable, id: string) {
  return workspaces(db).where("w.id", "=", id).executeTakeFirst();
}

export interface WorkspaceNameQuery {
  readonly ownerId: string;
  readonly name: string;
  readonly includeDeleted: boolean;
}

/** The live workspace of that name, else, if asked for, the one deleted last. */
export function selectWorkspaceByName(db: Queryable, query: WorkspaceNameQuery) {
  const named = workspaces(db)
    .where("w.owner_id", "=", query.ownerId)
    .where(sql`lower(w.name)`, "=", query.name.toLowerCase())
    .orderBy("w.deleted")
    .orderBy("w.updated_at", "desc");
  return (query.includeDeleted ? named : named.where("w.deleted", "=", false)).executeTakeFirst();
}

export interface WorkspaceFilter {
  /** Undefined: of every owner. */
  readonly ownerId: string | undefined;
  readonly name: string | undefined;
}

export function selectWorkspaces(db: Queryable, filter: WorkspaceFilter) {
  let query = workspaces(db).where("w.deleted", "=", false);
  if (filter.ownerId !== undefined) query = query.where("w.owner_id", "=", filter.ownerId);
  if (filter.name !== undefined) {
    query = query.where(sql`lower(w.name)`, "like", `%${escapeLike(filter.name.toLowerCase())}%`);
  }
  return query
    .orderBy("owner.username")
    .orderBy(sql`lower(w.name)`)
    .execute();
}

function escapeLike(text: string): string {
  return text.replaceAll(/[\\%_]/g, String.raw`\$&`);
}

export type WorkspaceRow = NonNullable<Awaited<ReturnType<typeof selectWorkspace>>>;

export interface InsertWorkspace {
  readonly ownerId: string;
  readonly organizationId: string;
  readonly templateId: string;
  readonly name: string;
}

export async function insertWorkspace(db: Queryable, input: InsertWorkspace): Promise<string> {
  const row = await db
    .insertInto("workspaces")
    .values({
      owner_id: input.ownerId,
      organization_id: input.organizationId,
      template_id: input.templateId,
      name: input.name,
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  return row.id;
}
