/** What a token may be limited to: actions by resource, as the original offers them (`clients.md` section 5.1). */
const resourceActions = {
  api_key: ["create", "delete", "read", "update"],
  file: ["create", "read"],
  organization: ["delete", "read", "update"],
  task: ["create", "delete", "read", "update"],
  template: ["create", "delete", "read", "update", "use"],
  user: ["read", "read_personal", "update_personal"],
  user_secret: ["create", "delete", "read", "update"],
  user_skill: ["create", "delete", "read", "update"],
  workspace: ["application_connect", "create", "delete", "read", "ssh", "start", "stop", "update"],
} as const;

const composites = [
  "all",
  "apikeys.manage_self",
  "application_connect",
  "templates.author",
  "templates.build",
  "workspaces.access",
  "workspaces.create",
  "workspaces.delete",
  "workspaces.operate",
];

/** Names of all scopes, sorted. */
export const scopeNames: readonly string[] = [
  ...Object.entries(resourceActions).flatMap(([resource, actions]) =>
    ["*", ...actions].map((action) => `${resource}:${action}`),
  ),
  ...composites.map((name) => `coder:${name}`),
].toSorted((a, b) => (a < b ? -1 : 1));
