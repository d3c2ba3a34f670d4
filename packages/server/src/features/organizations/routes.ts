import {
  getMember,
  getOrganization,
  getUserOrganization,
  listMembers as listMembersRoute,
  listOrganizations as listOrganizationsRoute,
  listUserOrganizations as listUserOrganizationsRoute,
} from "@slipway/api/organizations/routes";

import type { Database } from "../../platform/db/database.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import type { Routes } from "../../platform/http/routes.ts";
import {
  findOrganization,
  findUserOrganization,
  listMembers,
  listOrganizations,
  listUserOrganizations,
  readMember,
} from "./service.ts";

/**
 * Finds the user of the parameter `:user`, if the caller may see them; provided by the users feature, which depends on this
 * one.
 */
type ResolveUser = (caller: UserCaller, reference: string) => Promise<{ readonly id: string }>;

export function addOrganizationRoutes(
  routes: Routes,
  db: Database,
  resolveUser: ResolveUser,
): void {
  routes.user(listOrganizationsRoute, () => listOrganizations(db));
  routes.user(getOrganization, ({ params }) => findOrganization(db, params.organization));
  routes.user(listUserOrganizationsRoute, async ({ params }, user) => {
    const { id } = await resolveUser(user, params.user);
    return listUserOrganizations(db, id);
  });
  routes.user(getUserOrganization, async ({ params }, user) => {
    const { id } = await resolveUser(user, params.user);
    return findUserOrganization(db, id, params.organization);
  });
  routes.user(listMembersRoute, async ({ params }, user) => {
    const organization = await findOrganization(db, params.organization);
    return listMembers(db, user, organization.id);
  });
  routes.user(getMember, async ({ params }, user) => {
    const organization = await findOrganization(db, params.organization);
    const { id } = await resolveUser(user, params.user);
    return readMember(db, organization.id, id);
  });
}
