import type { Route, ScopeName } from "@slipway/api";

/**
 * The routes that each scope allows; any one of several is enough. A route in no list takes `coder:all`: a new route is
 * closed to limited tokens until it is added here. Routes that return or change a credential are only in the list of
 * credentials: not the state of drivers, and not passwords, by which an owner's token would get any session.
 */
const routesOfScopes: Readonly<Partial<Record<ScopeName, readonly string[]>>> = {
  "workspace:read": [
    "GET /workspaces",
    "GET /workspaces/:workspace",
    "GET /workspaces/:workspace/builds",
    "GET /workspaces/:workspace/resolve-autostart",
    "GET /workspaces/:workspace/timings",
    "GET /workspaces/:workspace/watch",
    "GET /workspaces/:workspace/watch-ws",
    "GET /users/:user/workspace/:name",
    "GET /users/:user/workspace/:name/builds/:number",
    "GET /workspacebuilds/:build",
    "GET /workspacebuilds/:build/logs",
    "GET /workspacebuilds/:build/parameters",
    "GET /workspacebuilds/:build/resources",
    "GET /workspacebuilds/:build/timings",
    "GET /workspaceagents/:agent",
    "GET /workspaceagents/:agent/logs",
    "GET /workspaceagents/:agent/startup-logs",
    "GET /workspaceagents/:agent/watch-metadata",
    "GET /workspaceagents/:agent/watch-metadata-ws",
    "GET /workspaceagents/:agent/containers",
    "GET /workspaceagents/:agent/containers/watch",
    "GET /workspaceagents/:agent/listening-ports",
  ],
  "workspace:ssh": [
    "GET /workspaceagents/:agent/connection",
    "GET /workspaceagents/:agent/coordinate",
    "GET /workspaceagents/:agent/pty",
    "GET /workspaceagents/connection",
    "GET /deployment/ssh",
    "GET /regions",
    "GET /tailnet",
    "POST /workspaces/:workspace/usage",
  ],
  "workspace:create": ["POST /users/:user/workspaces"],
  // The body decides which of the three a build takes: `requireScope` in the handler.
  "workspace:start": ["POST /workspaces/:workspace/builds"],
  "workspace:stop": ["POST /workspaces/:workspace/builds"],
  "workspace:delete": ["POST /workspaces/:workspace/builds"],
  "workspace:update": [
    "PATCH /workspaces/:workspace",
    "PUT /workspaces/:workspace/autostart",
    "PUT /workspaces/:workspace/autoupdates",
    "PUT /workspaces/:workspace/dormant",
    "PUT /workspaces/:workspace/extend",
    "PUT /workspaces/:workspace/favorite",
    "DELETE /workspaces/:workspace/favorite",
    "PUT /workspaces/:workspace/ttl",
    "PATCH /workspacebuilds/:build/cancel",
    "DELETE /workspaceagents/:agent/containers/devcontainers/:devcontainer",
    "POST /workspaceagents/:agent/containers/devcontainers/:devcontainer/recreate",
  ],
  "template:read": [
    "GET /templates",
    "GET /templates/:template",
    "GET /templates/:template/daus",
    "GET /templates/:template/versions",
    "GET /templates/:template/versions/:name",
    "GET /organizations/:organization/templates",
    "GET /organizations/:organization/templates/:name",
    "GET /organizations/:organization/templates/:template/versions/:name",
    "GET /organizations/:organization/templates/:template/versions/:name/previous",
    "GET /organizations/:organization/templates/examples",
    "GET /templateversions/:version",
    "GET /templateversions/:version/diff",
    "GET /templateversions/:version/dynamic-parameters",
    "POST /templateversions/:version/dynamic-parameters/evaluate",
    "GET /templateversions/:version/external-auth",
    "GET /templateversions/:version/logs",
    "GET /templateversions/:version/presets",
    "GET /templateversions/:version/resources",
    "GET /templateversions/:version/rich-parameters",
    "GET /templateversions/:version/variables",
  ],
  "template:use": [
    "POST /templateversions/:version/dry-run",
    "GET /templateversions/:version/dry-run/:job",
    "GET /templateversions/:version/dry-run/:job/logs",
    "GET /templateversions/:version/dry-run/:job/matched-provisioners",
    "GET /templateversions/:version/dry-run/:job/resources",
    "PATCH /templateversions/:version/dry-run/:job/cancel",
  ],
  "template:create": [
    "POST /organizations/:organization/templates",
    "POST /organizations/:organization/templateversions",
  ],
  "template:update": [
    "POST /organizations/:organization/templateversions",
    "PATCH /templates/:template",
    "PATCH /templates/:template/versions",
    "POST /templates/:template/prebuilds/invalidate",
    "POST /templates/:template/versions/archive",
    "PATCH /templateversions/:version",
    "PATCH /templateversions/:version/cancel",
    "POST /templateversions/:version/archive",
    "POST /templateversions/:version/unarchive",
  ],
  "template:delete": ["DELETE /templates/:template"],
  "file:create": ["POST /files"],
  "file:read": ["GET /files/:file"],
  "organization:read": [
    "GET /organizations",
    "GET /organizations/:organization",
    "GET /organizations/:organization/provisionerdaemons",
    "GET /organizations/:organization/provisionerjobs",
    "GET /users/:user/organizations",
    "GET /users/:user/organizations/:organization",
  ],
  "user:read": [
    "GET /users",
    "GET /users/:user",
    "GET /users/:user/roles",
    "GET /users/roles",
    "GET /organizations/:organization/members",
    "GET /organizations/:organization/members/:user",
  ],
  "user:read_personal": ["GET /users/:user/gitsshkey"],
  "user:update_personal": ["PUT /users/:user/gitsshkey", "PUT /users/:user/profile"],
  // The token of an agent gives access to its owner's private key: a credential, not a part of its workspace.
  "user_secret:read": ["GET /workspaces/:workspace/external-agent/:agent/credentials"],
  "api_key:create": ["POST /users/:user/keys", "POST /users/:user/keys/tokens"],
  "api_key:read": [
    "GET /users/:user/keys/:key",
    "GET /users/:user/keys/tokens",
    "GET /users/:user/keys/tokens/:name",
    "GET /users/:user/keys/tokens/tokenconfig",
  ],
  "api_key:update": ["PUT /users/:user/keys/:key/expire"],
  "api_key:delete": ["DELETE /users/:user/keys/:key"],
};

const scopesOfRoutes = new Map<string, ScopeName[]>();
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of this object
for (const scope of Object.keys(routesOfScopes) as readonly ScopeName[]) {
  for (const route of routesOfScopes[scope] ?? []) {
    scopesOfRoutes.set(route, [...(scopesOfRoutes.get(route) ?? []), scope]);
  }
}

/** Returns the scopes that each allow a route to a limited token; with none, only `coder:all` does. */
export function scopesOf({ method, path }: Pick<Route, "method" | "path">): readonly ScopeName[] {
  return scopesOfRoutes.get(`${method} ${path}`) ?? [];
}

/** The routes that have a scope, as `GET /path`. */
export const scopedRoutes: readonly string[] = [...scopesOfRoutes.keys()];
