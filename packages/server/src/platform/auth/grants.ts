import { scopeParts } from "@slipway/api/contract/scopes";

import type { KeyGrant } from "../http/caller.ts";

/** Returns whether scopes include another one: itself, as part of a composite one, or by a wildcard. */
export function holdsScope(scopes: readonly string[], wanted: string): boolean {
  return scopes.some((scope) => {
    if (scope === "coder:all" || scope === wanted) return true;
    if (scope.endsWith(":*")) return wanted.startsWith(scope.slice(0, -1));
    return holdsScope(scopeParts[scope] ?? [], wanted);
  });
}

/** Returns whether an allow list includes an entry: the entry itself, or all of its type. */
export function holdsEntry(allowList: readonly string[], wanted: string): boolean {
  const [type = ""] = wanted.split(":");
  return allowList.some((entry) => entry === "*:*" || entry === wanted || entry === `${type}:*`);
}

type ScopeGrant = Pick<KeyGrant, "scopes" | "allowList">;

/** Returns whether the holder of `grant` may delegate `other`: a new token never has more rights than its creator. */
export function mayHandOn(grant: ScopeGrant, other: ScopeGrant): boolean {
  return (
    other.scopes.every((scope) =>
      (scopeParts[scope] ?? [scope]).every((part) => holdsScope(grant.scopes, part)),
    ) && other.allowList.every((entry) => holdsEntry(grant.allowList, entry))
  );
}
