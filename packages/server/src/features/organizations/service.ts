import { zeroTimestamp } from "@slipway/api/contract/scalars";
import type { Organization, OrganizationMember } from "@slipway/api/organizations/organization";
import { sql } from "kysely";

import { maySeeUsers, roleJson } from "../../platform/auth/rights.ts";
import type { Queryable } from "../../platform/db/database.ts";
import { notFound } from "../../platform/errors/errors.ts";
import { readUuid } from "../../platform/fields/uuid.ts";
import type { UserCaller } from "../../platform/http/caller.ts";

export async function listOrganizations(db: Queryable): Promise<Organization[]> {
  return (await selectOrganizations(db)).map(organizationJson);
}

/** The roles that every member of an organization has by default. */
const defaultMemberRoles = ["organization-workspace-access"] as const;

function organizationJson(row: OrganizationRow): Organization {
  return { ...row, default_org_member_roles: [...defaultMemberRoles] };
}

export async function listUserOrganizations(
  db: Queryable,
  userId: string,
): Promise<Organization[]> {
  return (await selectUserOrganizations(db, userId)).map(organizationJson);
}

/** Finds an organization by id, name or the word `default`; throws `NotFound`. */
export async function findOrganization(db: Queryable, reference: string): Promise<Organization> {
  return findAmong(await listOrganizations(db), reference);
}

/** Finds an organization of which the user is a member; throws `NotFound`. */
export async function findUserOrganization(
  db: Queryable,
  userId: string,
  reference: string,
): Promise<Organization> {
  return findAmong(await listUserOrganizations(db, userId), reference);
}

function findAmong(organizations: readonly Organization[], reference: string): Organization {
  const id = readUuid(reference);
  const found = organizations.find((organization) => {
    if (reference === "default") return organization.is_default;
    return organization.id === id || organization.name.toLowerCase() === reference.toLowerCase();
  });
  if (found === undefined) throw notFound();
  return found;
}

/** Lists the members that the caller may see. */
export async function listMembers(
  db: Queryable,
  caller: UserCaller,
  organizationId: string,
): Promise<OrganizationMember[]> {
  const onlyId = maySeeUsers(caller) ? undefined : caller.id;
  return (await selectMembers(db, organizationId, onlyId)).map(memberJson);
}

/** Reads a user as a member; throws `NotFound` for other users. */
export async function readMember(
  db: Queryable,
  organizationId: string,
  userId: string,
): Promise<OrganizationMember> {
  const [row] = await selectMembers(db, organizationId, userId);
  if (row === undefined) throw notFound();
  return memberJson(row);
}

function memberJson(row: MemberRow): OrganizationMember {
  return {
    ...row,
    roles: row.roles.map(roleJson),
    global_roles: row.global_roles.map(roleJson),
    last_seen_at: row.last_seen_at ?? zeroTimestamp,
    has_ai_seat: false,
  };
}

/** Creates the default organization if there is none, and makes the user its member. */
export async function joinDefaultOrganization(
  db: Queryable,
  userId: string,
): Promise<Organization> {
  await insertDefaultOrganization(db);
  const organization = await findOrganization(db, "default");
  await insertMember(db, organization.id, userId);
  return organization;
}

export async function joinOrganization(
  db: Queryable,
  organizationId: string,
  userId: string,
): Promise<void> {
  await insertMember(db, organizationId, userId);
}

export async function leaveOrganizations(db: Queryable, userId: string): Promise<void> {
  await deleteMemberships(db, userId);
}

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

function selectOrganizations(db: Queryable) {
  return db.selectFrom("organizations").select(columns).orderBy("name").execute();
}

type OrganizationRow = Awaited<ReturnType<typeof selectOrganizations>>[number];

function selectUserOrganizations(db: Queryable, userId: string) {
  return db
    .selectFrom("organizations as o")
    .innerJoin("organization_members as m", "m.organization_id", "o.id")
    .where("m.user_id", "=", userId)
    .select(columns.map((column) => `o.${column}` as const))
    .orderBy("o.name")
    .execute();
}

async function insertDefaultOrganization(db: Queryable): Promise<void> {
  await db
    .insertInto("organizations")
    .values({ name: "default", display_name: "Default", is_default: true })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

async function insertMember(db: Queryable, organizationId: string, userId: string): Promise<void> {
  await db
    .insertInto("organization_members")
    .values({ organization_id: organizationId, user_id: userId })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

async function deleteMemberships(db: Queryable, userId: string): Promise<void> {
  await db.deleteFrom("organization_members").where("user_id", "=", userId).execute();
}

/** Selects members with their users; `userId` for one of them. */
function selectMembers(db: Queryable, organizationId: string, userId: string | undefined) {
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

type MemberRow = Awaited<ReturnType<typeof selectMembers>>[number];
