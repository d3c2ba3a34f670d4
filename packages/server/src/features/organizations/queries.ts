import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";

const columns = [
  "id",
  "name",
  "display_name",
  "description",
  "icon",
  "is_default",
  "created_at",
  "updated_at",
] as const;

export function selectOrganizations(db: Queryable) {
  return db.selectFrom("organizations").select(columns).orderBy("name").execute();
}

export type OrganizationRow = Awaited<ReturnType<typeof selectOrganizations>>[number];

export function selectUserOrganizations(db: Queryable, userId: string) {
  return db
    .selectFrom("organizations as o")
    .innerJoin("organization_members as m", "m.organization_id", "o.id")
    .where("m.user_id", "=", userId)
    .select(columns.map((column) => `o.${column}` as const))
    .orderBy("o.name")
    .execute();
}

export async function insertDefaultOrganization(db: Queryable): Promise<void> {
  await db
    .insertInto("organizations")
    .values({ name: "default", display_name: "Default", is_default: true })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export async function insertMember(
  db: Queryable,
  organizationId: string,
  userId: string,
): Promise<void> {
  await db
    .insertInto("organization_members")
    .values({ organization_id: organizationId, user_id: userId })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export async function deleteMemberships(db: Queryable, userId: string): Promise<void> {
  await db.deleteFrom("organization_members").where("user_id", "=", userId).execute();
}

/** Selects members with their users; `userId` for one of them. */
export function selectMembers(db: Queryable, organizationId: string, userId: string | undefined) {
  return db
    .selectFrom("organization_members as m")
    .innerJoin("users as u", "u.id", "m.user_id")
    .where("m.organization_id", "=", organizationId)
    .where("u.deleted", "=", sql.lit(false))
    .where("u.is_system", "=", sql.lit(false))
    .$if(userId !== undefined, (query) => query.where("m.user_id", "=", userId ?? ""))
    .orderBy(sql`lower(u.username)`)
    .select([
      "m.user_id",
      "m.organization_id",
      "m.created_at",
      "m.updated_at",
      "m.roles",
      "u.username",
      "u.name",
      "u.email",
      "u.status",
      "u.login_type",
      "u.last_seen_at",
      "u.created_at as user_created_at",
      "u.updated_at as user_updated_at",
      "u.roles as global_roles",
    ])
    .execute();
}

export type MemberRow = Awaited<ReturnType<typeof selectMembers>>[number];
