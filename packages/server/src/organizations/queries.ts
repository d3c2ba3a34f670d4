import type { Queryable } from "../db/database.ts";

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
