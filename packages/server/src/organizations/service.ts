import type { Organization } from "@slipway/api";

import type { Queryable } from "../db/database.ts";
import { notFound } from "../http/errors.ts";
import { readUuid } from "../http/uuid.ts";
import {
  insertDefaultOrganization,
  insertMember,
  selectOrganizations,
  selectUserOrganizations,
} from "./queries.ts";

export async function listOrganizations(db: Queryable): Promise<Organization[]> {
  return selectOrganizations(db);
}

export async function listUserOrganizations(
  db: Queryable,
  userId: string,
): Promise<Organization[]> {
  return selectUserOrganizations(db, userId);
}

/** Finds an organization by id, name or the word `default`; throws the 404. */
export async function findOrganization(db: Queryable, reference: string): Promise<Organization> {
  const id = readUuid(reference);
  const organizations = await selectOrganizations(db);
  const found = organizations.find((organization) => {
    if (reference === "default") return organization.is_default;
    return organization.id === id || organization.name.toLowerCase() === reference.toLowerCase();
  });
  if (found === undefined) throw notFound();
  return found;
}

/** Makes the default organization if there is none, and the user its member. */
export async function joinDefaultOrganization(
  db: Queryable,
  userId: string,
): Promise<Organization> {
  await insertDefaultOrganization(db);
  const organization = await findOrganization(db, "default");
  await insertMember(db, organization.id, userId);
  return organization;
}
