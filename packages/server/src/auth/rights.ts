import type { UserCaller } from "../http/caller.ts";

/** Whether a user may see and change what belongs to any user. */
export function isOwnerRole(user: UserCaller): boolean {
  return user.roles.includes("owner");
}

/** Whether a user may write templates. */
export function mayWriteTemplates(user: UserCaller): boolean {
  return isOwnerRole(user) || user.roles.includes("template-admin");
}

/** Whether a user may read and use what belongs to the user `ownerId`. */
export function mayActFor(user: UserCaller, ownerId: string): boolean {
  return user.id === ownerId || isOwnerRole(user);
}
