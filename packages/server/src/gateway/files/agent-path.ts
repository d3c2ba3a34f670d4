import type { QueryOf, Route } from "@slipway/api/contract/route";

const users = "/workspaceagents/:agent";
const agents = "/api/v0";

/** Returns the path of an agent's route for the route of users that has the same query. */
export function agentPath<R extends Route>(route: R, query: QueryOf<R>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries<string>(query)) {
    search.append(name, value);
  }
  const text = search.toString();
  return `${route.path.replace(users, agents)}${text === "" ? "" : `?${text}`}`;
}
