import type { User } from "@slipway/api/users/user";

/** The roles of a user in one cell. */
export function rolesCell({ roles }: Pick<User, "roles">): string {
  return roles.map(({ name }) => name).join(", ") || "member";
}
