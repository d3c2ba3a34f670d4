import type { AuditNotes } from "../features/audit/note-service.ts";
import { addAuditRoutes } from "../features/audit/routes.ts";
import { addProvisionerRoutes } from "../features/organizations/provisioner-routes.ts";
import { addOrganizationRoutes } from "../features/organizations/routes.ts";
import { addGitKeyRoutes } from "../features/users/git-key-routes.ts";
import { addCliAuthPage, addLogInPage } from "../features/users/log-in-routes.ts";
import { addUserRoutes } from "../features/users/routes.ts";
import { findVisibleUser, readUsersById } from "../features/users/service.ts";
import { PasswordAttempts } from "../platform/auth/password-attempts.ts";
import type { SecretBox } from "../platform/auth/secret-box.ts";
import type { Platform } from "../platform/platform.ts";
import type { Site } from "./open-http.ts";

interface UserParts {
  readonly secrets: SecretBox;
  readonly notes: AuditNotes;
}

/** Adds the routes for users, organizations, Git keys and the audit trail. */
export function wireUsers(
  { app, routes, requestLimits, settings, accessUrl }: Site,
  { db, clock }: Platform,
  { secrets, notes }: UserParts,
): void {
  const logIn = { db, notes, attempts: new PasswordAttempts(clock), accessUrl };
  const form = { ...logIn, limits: requestLimits };
  addCliAuthPage(app, form);
  addLogInPage(app, form);
  addAuditRoutes(routes, db, (userIds) => readUsersById(db, userIds));
  addUserRoutes(routes, { ...logIn, limits: settings.limits });
  addGitKeyRoutes(routes, { db, secrets });
  addOrganizationRoutes(routes, db, (caller, reference) => findVisibleUser(db, caller, reference));
  addProvisionerRoutes(routes, db);
}
