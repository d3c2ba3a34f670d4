import {
  getOrganization,
  listOrganizations as listOrganizationsRoute,
  listUserOrganizations as listUserOrganizationsRoute,
} from "@slipway/api";

import type { Database } from "../db/database.ts";
import type { UserCaller } from "../http/caller.ts";
import type { Routes } from "../http/routes.ts";
import { findOrganization, listOrganizations, listUserOrganizations } from "./service.ts";

/** Who a path means by `:user`; the users feature stands above this one and lends it. */
export type ResolveUser = (
  caller: UserCaller,
  reference: string,
) => Promise<{ readonly id: string }>;

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
}
