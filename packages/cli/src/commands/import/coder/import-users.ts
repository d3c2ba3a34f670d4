import { createUser, suspendUser, updateUserRoles } from "@slipway/api/users/routes";

import { generatePassword } from "../../../resources/accounts/passwords.ts";
import {
  carryOut,
  type ImportEntry,
  type ImportNeeds,
  isPending,
  plannedEntry,
} from "./import-items.ts";
import { loginTypeOf } from "./plan-user.ts";
import type { PlannedUser } from "./plan.ts";

/** Creates the users of a plan, with their roles. Their generated passwords are not kept. */
export async function importUsers(
  users: readonly PlannedUser[],
  needs: ImportNeeds,
): Promise<ImportEntry[]> {
  const entries: ImportEntry[] = [];
  needs.progress.waitFor("importing users");
  for (const planned of users) {
    needs.progress.advance(entries.length, users.length);
    entries.push(
      isPending(planned)
        ? await carryOut("user", planned, () => importUser(planned, needs))
        : plannedEntry("user", planned),
    );
  }
  return entries;
}

async function importUser(
  { user, outcome, roles }: PlannedUser,
  { target, here }: ImportNeeds,
): Promise<void> {
  const { username, email, name, isSuspended } = user;
  const loginType = loginTypeOf(user);
  if (outcome === "create") {
    await target.call(createUser, {
      body: {
        username,
        email,
        name,
        login_type: loginType,
        password: loginType === "password" ? generatePassword() : "",
        organization_ids: [here.organizationId],
      },
    });
  }
  const params = { user: username };
  // Suspended first: an interruption must not leave a suspended user with roles and a way in.
  if (isSuspended) await target.call(suspendUser, { params });
  if (roles.length > 0) await target.call(updateUserRoles, { params, body: { roles: [...roles] } });
}
