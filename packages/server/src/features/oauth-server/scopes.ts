import type { ScopeName } from "@slipway/api/contract/scopes";

import { OauthError } from "./errors.ts";

/** The scopes that a program may be granted, in words for people. */
const grantable = {
  "coder:workspaces.create": "see templates, and create workspaces from them",
  "coder:workspaces.operate": "see, start, stop and change your workspaces",
  "coder:workspaces.access":
    "run commands, read and write files, and open ports in your workspaces",
  "coder:workspaces.delete": "delete your workspaces, with everything in them",
} as const satisfies Partial<Record<ScopeName, string>>;

type GrantableScope = keyof typeof grantable;

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of this object
export const grantableScopes = Object.keys(grantable) as readonly GrantableScope[];

/** The scopes that programs are told to request, and get by default: all tools of the MCP server work but the one that deletes. */
export const usualScopes = grantableScopes.filter((scope) => scope !== "coder:workspaces.delete");

/**
 * Reads the scopes of a request: the usual ones by default. Unknown ones are ignored, as RFC 6749 §3.3 permits: clients add
 * some that other servers need. Throws `OauthError` if none is known.
 */
export function readScopes(text: string | undefined): readonly GrantableScope[] {
  const asked = (text ?? "").split(" ").filter((scope) => scope !== "");
  if (asked.length === 0) return usualScopes;
  const known = grantableScopes.filter((scope) => asked.includes(scope));
  if (known.length > 0) return known;
  throw new OauthError(
    "invalid_scope",
    `found no known scope, wanted ${grantableScopes.join(" ")}`,
  );
}

/** Returns what a scope lets a program do, in words. */
export function describeScope(scope: GrantableScope): string {
  return grantable[scope];
}
