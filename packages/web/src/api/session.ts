import type { AuthCheck } from "@slipway/api/deployment/auth-check";
import { checkAuthorization } from "@slipway/api/deployment/routes";
import { getUser } from "@slipway/api/users/routes";
import type { User } from "@slipway/api/users/user";
import { queryOptions, useSuspenseQuery } from "@tanstack/react-query";

import { client } from "./client.ts";
import { routeQuery } from "./queries.ts";

/** The user of this page. */
export const meQuery = { ...routeQuery(getUser, { params: { user: "me" } }), staleTime: 60_000 };

/** The rights by which pages offer actions; the server checks each request independently. */
const checks = {
  readUsers: { object: { resource_type: "user" }, action: "read" },
  createUsers: { object: { resource_type: "user" }, action: "create" },
  createTemplates: { object: { resource_type: "template", any_org: true }, action: "create" },
  readAudit: { object: { resource_type: "audit_log" }, action: "read" },
  readDeployment: { object: { resource_type: "deployment_config" }, action: "read" },
  updateDeployment: { object: { resource_type: "deployment_config" }, action: "update" },
} as const satisfies Readonly<Record<string, AuthCheck>>;

export type Right = keyof typeof checks;
export type Rights = Readonly<Record<Right, boolean>>;

export const rightsQuery = queryOptions({
  queryKey: [checkAuthorization.path],
  queryFn: async ({ signal }): Promise<Rights> => {
    const answer = await client.call(checkAuthorization, { body: { checks }, signal });
    const names = Object.keys(checks).map((name) => [name, answer[name] === true]);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one entry per check
    return Object.fromEntries(names) as Rights;
  },
  staleTime: 60_000,
});

/** Returns the user of this page, which the route has loaded. */
export function useMe(): User {
  return useSuspenseQuery(meQuery).data;
}

/** Returns what the user of this page may do, which the route has loaded. */
export function useRights(): Rights {
  return useSuspenseQuery(rightsQuery).data;
}
