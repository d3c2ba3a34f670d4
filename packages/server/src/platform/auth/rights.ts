import { type RoleName, roleNames } from "@slipway/api";

import type { UserCaller } from "../http/caller.ts";

/** What a user may do to what is not his own. */
type Right =
  /** Anything to anybody, short of what would leave the deployment without an owner. */
  | "everything"
  | "users:read"
  /** Create users, and change those who have no role. */
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

/** Whether a user may see and change what belongs to any user. */
export function isOwnerRole(user: Pick<UserCaller, "roles">): boolean {
  return has(user, "everything");
}

/** Whether a user may write templates. */
export function mayWriteTemplates(user: UserCaller): boolean {
  return has(user, "templates:write");
}

/** Whether a user may read and use what belongs to the user `ownerId`. */
export function mayActFor(user: UserCaller, ownerId: string): boolean {
  return user.id === ownerId || isOwnerRole(user);
}

/** Whether a user may see the workspaces of the user `ownerId`; to change them takes `mayActFor`. */
export function maySeeWorkspacesOf(user: UserCaller, ownerId: string): boolean {
  return user.id === ownerId || has(user, "workspaces:read");
}

/** Whether a user may see every user, not only himself. */
export function maySeeUsers(user: UserCaller): boolean {
  return has(user, "users:read");
}

/** Whether a user may see pools of prebuilds, and whether they are filled; to pause that takes an owner. */
export function mayReadPrebuilds(user: UserCaller): boolean {
  return has(user, "prebuilds:read");
}

/** Whether a user may see who did what. */
export function mayReadAudit(user: UserCaller): boolean {
  return has(user, "audit:read");
}

/** Whether a user may create users. */
export function mayCreateUsers(user: UserCaller): boolean {
  return has(user, "users:write");
}

/**
 * Whether a user may change another one: his name, password, status, or whether he exists. Only owners may change who has
 * a role, or a password reset would be a way to that role.
 */
export function mayChangeUser(
  user: UserCaller,
  other: { readonly id: string; readonly roles: readonly string[] },
): boolean {
  if (isOwnerRole(user)) return true;
  return mayCreateUsers(user) && other.id !== user.id && other.roles.length === 0;
}
