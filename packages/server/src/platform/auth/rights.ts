import { type RoleName, roleNames } from "@slipway/api/users/user";

import type { UserCaller } from "../http/caller.ts";

/** A right over the resources of other users. */
type Right =
  /** Anything, short of leaving the deployment without an owner. */
  | "everything"
  | "users:read"
  /** Create users, and change users without a role. */
  | "users:write"
  | "templates:write"
  | "workspaces:read"
  | "prebuilds:read"
  | "audit:read";

/** The rights of each role (docs/protocol/clients.md §6); roles add up. */
const rights: Readonly<Record<RoleName, readonly Right[]>> = {
  owner: [
    "everything",
    "users:read",
    "users:write",
    "templates:write",
    "workspaces:read",
    "prebuilds:read",
    "audit:read",
  ],
  "template-admin": ["users:read", "templates:write", "workspaces:read", "prebuilds:read"],
  "user-admin": ["users:read", "users:write"],
  auditor: ["users:read", "audit:read"],
  member: [],
};

function has(user: Pick<UserCaller, "roles">, right: Right): boolean {
  return roleNames.some((role) => user.roles.includes(role) && rights[role].includes(right));
}

/** Returns whether a user may see and change the resources of any user. */
export function isOwnerRole(user: Pick<UserCaller, "roles">): boolean {
  return has(user, "everything");
}

/** Returns whether a user may write templates. */
export function mayWriteTemplates(user: UserCaller): boolean {
  return has(user, "templates:write");
}

/** Returns whether a user may read and use the resources of the user `ownerId`. */
export function mayActFor(user: Pick<UserCaller, "id" | "roles">, ownerId: string): boolean {
  return user.id === ownerId || isOwnerRole(user);
}

/** Returns whether a user may see the workspaces of the user `ownerId`; changing them takes `mayActFor`. */
export function maySeeWorkspacesOf(user: UserCaller, ownerId: string): boolean {
  return user.id === ownerId || has(user, "workspaces:read");
}

/** Returns whether a user may see every user, not only themselves. */
export function maySeeUsers(user: UserCaller): boolean {
  return has(user, "users:read");
}

/** Returns whether a user may see pools of prebuilds and whether filling them is paused; pausing takes an owner. */
export function mayReadPrebuilds(user: UserCaller): boolean {
  return has(user, "prebuilds:read");
}

/** Returns whether a user may read the audit trail. */
export function mayReadAudit(user: UserCaller): boolean {
  return has(user, "audit:read");
}

/** Returns whether a user may create users. */
export function mayCreateUsers(user: UserCaller): boolean {
  return has(user, "users:write");
}

/**
 * Returns whether a user may change another one: their name, password or status, or delete them. Only owners may change
 * a user with a role: a password reset would otherwise be a way to that role.
 */
export function mayChangeUser(
  user: UserCaller,
  other: { readonly id: string; readonly roles: readonly string[] },
): boolean {
  if (isOwnerRole(user)) return true;
  return mayCreateUsers(user) && other.id !== user.id && other.roles.length === 0;
}

/** The display names of the roles. */
export const roleDisplayNames: Readonly<Record<RoleName, string>> = {
  owner: "Owner",
  "template-admin": "Template Admin",
  "user-admin": "User Admin",
  auditor: "Auditor",
  member: "Member",
};

/** Returns the role as clients see it. */
export function roleJson(name: string): { name: string; display_name: string } {
  const displayName = Object.entries(roleDisplayNames).find(([role]) => role === name)?.[1];
  return { name, display_name: displayName ?? name };
}
