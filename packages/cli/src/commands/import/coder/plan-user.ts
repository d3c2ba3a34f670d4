import { nameProblem } from "@slipway/api/contract/name";
import { zeroTimestamp } from "@slipway/api/contract/scalars";
import { type RoleName, roleNames, type User } from "@slipway/api/users/user";

import type { PlannedOutcome, PlannedUser } from "./plan.ts";
import type { SourceUser } from "./read-source.ts";
import { nameKey, type TargetDeployment } from "./read-target.ts";

/** Decides whether a user comes over. A user here is the same one if both name and email address are. */
export function planUser(user: SourceUser, target: TargetDeployment): PlannedUser {
  const { username: name, email } = user;
  const roles = roleNames.filter((role) => role !== "member" && user.roles.includes(role));
  const plan = (outcome: PlannedOutcome, ...notes: readonly string[]): PlannedUser => ({
    name,
    outcome,
    notes,
    user,
    roles,
  });
  const here = target.users.get(nameKey(name));
  if (here !== undefined) {
    if (nameKey(here.email) !== nameKey(email)) {
      return plan("conflict", `the user of this name here has the email address ${here.email}`);
    }
    const isUntouched = here.created_at === here.updated_at && here.last_seen_at === zeroTimestamp;
    const isIncomplete = roles.length > 0 || user.isSuspended;
    if (isUntouched && isIncomplete) return plan("complete", ...userNotes(user, target));
    return plan("present", ...userDifferences(user, roles, here));
  }
  const other = target.usersByEmail.get(nameKey(email));
  if (other !== undefined) {
    return plan("conflict", `the user ${other.username} here has the email address ${email}`);
  }
  const problem = nameProblem(name);
  if (problem !== undefined) return plan("skipped", `the name ${problem}`);
  return plan("create", ...userNotes(user, target));
}

/** Returns what is different for a user who comes over. */
function userNotes(user: SourceUser, target: TargetDeployment): string[] {
  const loginType = loginTypeOf(user);
  const unknown = user.roles.filter((role) => !roleNames.some((known) => known === role));
  return [
    ...(user.isSuspended ? ["suspended"] : []),
    ...(loginType === "password" ? ["needs a new password"] : []),
    ...(loginType === "none" ? ["logs in with tokens only"] : []),
    ...(target.loginTypes.has(loginType)
      ? []
      : [`cannot log in until a login provider of type ${loginType} is configured`]),
    ...unknown.map((role) => `the role ${role} does not exist here`),
  ];
}

function userDifferences(user: SourceUser, roles: readonly RoleName[], here: User): string[] {
  const hereRoles = new Set(here.roles.map(({ name }) => name));
  const missing = roles.filter((role) => !hereRoles.has(role));
  const isSuspended = here.status === "suspended";
  return [
    ...missing.map((role) => `lacks the role ${role} here`),
    ...(isSuspended === user.isSuspended
      ? []
      : [isSuspended ? "suspended here" : "not suspended here"]),
    ...(here.login_type === loginTypeOf(user) ? [] : [`logs in by ${here.login_type} here`]),
  ];
}

const loginTypes = ["password", "oidc", "github"] as const;

/** Returns the login type of a user here; types that do not exist here become `none`. */
export function loginTypeOf({ loginType }: SourceUser): (typeof loginTypes)[number] | "none" {
  return loginTypes.find((type) => type === loginType) ?? "none";
}
