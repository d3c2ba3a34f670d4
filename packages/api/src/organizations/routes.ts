import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { UserParams } from "../users/routes.ts";
import { OrganizationMember, Organization } from "./organization.ts";

/** `organization` is a UUID, a name or `default`. */
export const OrganizationParams = Type.Object({ organization: Type.String() });

export const listOrganizations = defineRoute({
  method: "GET",
  path: "/organizations",
  summary: "List organizations",
  scopes: ["organization:read"],
  response: Type.Array(Organization),
});

export const getOrganization = defineRoute({
  method: "GET",
  path: "/organizations/:organization",
  summary: "Get an organization",
  scopes: ["organization:read"],
  params: OrganizationParams,
  response: Organization,
});

export const listUserOrganizations = defineRoute({
  method: "GET",
  path: "/users/:user/organizations",
  summary: "List the organizations of a user",
  scopes: ["organization:read"],
  params: UserParams,
  response: Type.Array(Organization),
});

export const getUserOrganization = defineRoute({
  method: "GET",
  path: "/users/:user/organizations/:organization",
  summary: "Get one of a user's organizations",
  scopes: ["organization:read"],
  params: Type.Object({ user: Type.String(), organization: Type.String() }),
  response: Organization,
});

export const listMembers = defineRoute({
  method: "GET",
  path: "/organizations/:organization/members",
  summary: "List the visible members of an organization",
  scopes: ["user:read"],
  params: OrganizationParams,
  response: Type.Array(OrganizationMember),
});

export const getMember = defineRoute({
  method: "GET",
  path: "/organizations/:organization/members/:user",
  summary: "Get a member of an organization",
  scopes: ["user:read"],
  params: Type.Object({ organization: Type.String(), user: Type.String() }),
  response: OrganizationMember,
});
