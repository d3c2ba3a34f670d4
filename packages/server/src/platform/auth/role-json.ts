import type { RoleName } from "@slipway/api/users/user";

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
