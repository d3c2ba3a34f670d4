import type { RefusalCode } from "@slipway/api/users/log-in-refusals";
import { type RoleName, roleNames } from "@slipway/api/users/user";

import type { LogInProvider } from "../../platform/config/login-settings.ts";
import type { Profile } from "./profile.ts";

type Rules = Pick<
  LogInProvider,
  "allowedDomains" | "allowedGroups" | "roleMapping" | "needsMappedRole"
>;

/** The decision about a person: the roles that the provider assigns, or the reason for a refusal. */
export type Access =
  | {
      readonly type: "allowed";
      /** Undefined if the provider assigns none, and those assigned on the server stay. */
      readonly roles: readonly RoleName[] | undefined;
    }
  | { readonly type: "refused"; readonly code: RefusalCode };

/** Decides whether a provider's rules let a person in, and with which roles. */
export function decideAccess(
  rules: Rules,
  profile: Pick<Profile, "email" | "isEmailVerified" | "groups">,
): Access {
  const { allowedDomains, allowedGroups, roleMapping, needsMappedRole } = rules;
  if (allowedDomains.length > 0) {
    if (!profile.isEmailVerified) return refused("email-unverified");
    if (!allowedDomains.includes(domainOf(profile.email))) return refused("domain");
  }
  const groups = new Set(profile.groups.map((group) => group.toLowerCase()));
  if (allowedGroups.length > 0 && !allowedGroups.some((group) => groups.has(group))) {
    return refused("organization");
  }
  if (roleMapping === undefined) return { type: "allowed", roles: undefined };
  const mapped = profile.groups.flatMap((group) => roleMapping.get(group) ?? []);
  if (needsMappedRole && mapped.length === 0) return refused("no-role");
  // `member`, the role of every user, is not stored.
  const roles = roleNames.filter((role) => role !== "member" && mapped.includes(role));
  return { type: "allowed", roles };
}

function refused(code: RefusalCode): Access {
  return { type: "refused", code };
}

function domainOf(email = ""): string {
  return email.slice(email.lastIndexOf("@") + 1).toLowerCase();
}
