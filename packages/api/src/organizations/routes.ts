import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { UserParams } from "../users/routes.ts";
import { Organization } from "./organization.ts";

/** `organization` is a UUID, a name or `default`. */
export const OrganizationParams = Type.Object({ organization: Type.String() });

export const listOrganizations = defineRoute({
  method: "GET",
  path: "/organizations",
  summary: "List organizations",
  response: Type.Array(Organization),
});

export const getOrganization = defineRoute({
  method: "GET",
  path: "/organizations/:organization",
  summary: "Get an organization",
  params: OrganizationParams,
  response: Organization,
});

export const listUserOrganizations = defineRoute({
  method: "GET",
  path: "/users/:user/organizations",
  summary: "List the organizations of a user",
  params: UserParams,
  response: Type.Array(Organization),
});
