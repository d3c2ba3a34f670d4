import type { TokenScope } from "@slipway/api";

import type { KeyGrant } from "../http/caller.ts";

/** A scope under its canonical name. */
export type KeyScope = Exclude<TokenScope, "all" | "application_connect">;

/** The parts of composite scopes. */
const composites: Readonly<Record<string, readonly KeyScope[]>> = {
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

/** Returns the canonical name of a scope. */
export function presentName(scope: TokenScope): KeyScope {
  if (scope === "all") return "coder:all";
  return scope === "application_connect" ? "coder:application_connect" : scope;
}

/** Returns whether scopes include another one: itself, as part of a composite one, or by a wildcard. */
export function holdsScope(scopes: readonly string[], wanted: string): boolean {
  return scopes.some((scope) => {
    if (scope === "coder:all" || scope === wanted) return true;
    if (scope.endsWith(":*")) return wanted.startsWith(scope.slice(0, -1));
    return holdsScope(composites[scope] ?? [], wanted);
  });
}

/** Returns whether an allow list includes an entry: that very one, or all of its type. */
export function holdsEntry(allowList: readonly string[], wanted: string): boolean {
  const [type = ""] = wanted.split(":");
  return allowList.some((entry) => entry === "*:*" || entry === wanted || entry === `${type}:*`);
}

type ScopeGrant = Pick<KeyGrant, "scopes" | "allowList">;

/** Returns whether the holder of `grant` may delegate `other`: a new token never has more rights than its creator. */
export function mayHandOn(grant: ScopeGrant, other: ScopeGrant): boolean {
  return (
    other.scopes.every((scope) =>
      (composites[scope] ?? [scope]).every((part) => holdsScope(grant.scopes, part)),
    ) && other.allowList.every((entry) => holdsEntry(grant.allowList, entry))
  );
}
