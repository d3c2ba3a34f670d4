import { type Infer, oneOf } from "./scalars.ts";

/**
 * The scopes of a token (docs/protocol/clients.md §5.1), sorted: actions on a resource, and composite ones that include
 * several.
 */
export const scopeNames = [
  "api_key:*",
  "api_key:create",
  "api_key:delete",
  "api_key:read",
  "api_key:update",
  "coder:all",
  "coder:apikeys.manage_self",
  "coder:application_connect",
  "coder:templates.author",
  "coder:templates.build",
  "coder:workspaces.access",
  "coder:workspaces.create",
  "coder:workspaces.delete",
  "coder:workspaces.operate",
  "file:*",
  "file:create",
  "file:read",
  "organization:*",
  "organization:delete",
  "organization:read",
  "organization:update",
  "task:*",
  "task:create",
  "task:delete",
  "task:read",
  "task:update",
  "template:*",
  "template:create",
  "template:delete",
  "template:read",
  "template:update",
  "template:use",
  "user:*",
  "user:read",
  "user:read_personal",
  "user:update_personal",
  "user_secret:*",
  "user_secret:create",
  "user_secret:delete",
  "user_secret:read",
  "user_secret:update",
  "user_skill:*",
  "user_skill:create",
  "user_skill:delete",
  "user_skill:read",
  "user_skill:update",
  "workspace:*",
  "workspace:application_connect",
  "workspace:create",
  "workspace:delete",
  "workspace:read",
  "workspace:ssh",
  "workspace:start",
  "workspace:stop",
  "workspace:update",
] as const;

/** A scope under its canonical name. */
export type ScopeName = (typeof scopeNames)[number];

/** The parts of composite scopes. */
export const scopeParts: Readonly<Record<string, readonly ScopeName[]>> = {
  "coder:workspaces.create": [
    "template:read",
    "template:use",
    "workspace:create",
    "workspace:read",
  ],
  "coder:workspaces.operate": [
    "template:read",
    "workspace:read",
    "workspace:start",
    "workspace:stop",
    "workspace:update",
  ],
  "coder:workspaces.delete": ["workspace:delete", "workspace:read"],
  "coder:workspaces.access": ["workspace:application_connect", "workspace:read", "workspace:ssh"],
  "coder:templates.build": ["file:create", "file:read", "template:read"],
  "coder:templates.author": [
    "file:create",
    "file:read",
    "template:create",
    "template:delete",
    "template:read",
    "template:update",
    "template:use",
  ],
  "coder:apikeys.manage_self": ["api_key:*"],
};

/** All scopes, with the former names of `coder:all` and `coder:application_connect`. */
export const tokenScopes = ["all", "application_connect", ...scopeNames] as const;
export const TokenScope = oneOf(...tokenScopes);
export type TokenScope = Infer<typeof TokenScope>;

/** Returns the canonical name of a scope. */
export function canonicalScope(scope: TokenScope): ScopeName {
  if (scope === "all") return "coder:all";
  return scope === "application_connect" ? "coder:application_connect" : scope;
}
