import type { User } from "@slipway/api/users/user";
import type { Workspace } from "@slipway/api/workspaces/workspace";

/** Returns why a user may only look at a workspace; undefined for one that they may change. */
export function changeRefusal(
  { owner_id: ownerId, is_prebuild: isPrebuild }: Pick<Workspace, "owner_id" | "is_prebuild">,
  { id, roles }: Pick<User, "id" | "roles">,
): string | undefined {
  if (isPrebuild) return "It waits in a pool until someone claims it";
  if (ownerId === id || roles.some(({ name }) => name === "owner")) return undefined;
  return "Only its owner or an administrator can change it";
}

/** Returns why a user may not mark a workspace as a favorite; undefined if they own it. */
export function favorRefusal(
  { owner_id: ownerId }: Pick<Workspace, "owner_id">,
  { id }: Pick<User, "id">,
): string | undefined {
  return ownerId === id ? undefined : "Only its owner can make it a favorite";
}
