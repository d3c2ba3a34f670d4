import type { AuditNotes } from "../features/audit/note-service.ts";
import { addAuditRoutes } from "../features/audit/routes.ts";
import { addProvisionerRoutes } from "../features/organizations/provisioner-routes.ts";
import { addOrganizationRoutes } from "../features/organizations/routes.ts";
import { addCliKeyPage } from "../features/users/cli-key-page.ts";
import { DeviceCodes } from "../features/users/device-code.ts";
import { addDevicePage } from "../features/users/device-page.ts";
import { addDeviceRoutes } from "../features/users/device-routes.ts";
import { addGitKeyRoutes } from "../features/users/git-key-routes.ts";
import { addCliAuthPage, addLogInPage } from "../features/users/log-in-routes.ts";
import { addUserRoutes } from "../features/users/routes.ts";
import { findVisibleUser, readUsersById } from "../features/users/service.ts";
import type { PasswordAttempts } from "../platform/auth/password-attempts.ts";
import { SealedNotes } from "../platform/auth/sealed-notes.ts";
import type { SecretBox } from "../platform/auth/secret-box.ts";
import { createKeyHolders } from "../platform/auth/service.ts";
import type { Platform } from "../platform/platform.ts";
import type { Site } from "./open-http.ts";
import type { LogIns } from "./wire-logins.ts";

interface UserParts extends Omit<LogIns, "providers"> {
  readonly secrets: SecretBox;
  readonly notes: AuditNotes;
  readonly attempts: PasswordAttempts;
}

/** Adds the routes for users, organizations, Git keys and the audit trail. */
export function wireUsers(
  { app, routes, requestLimits, settings, accessUrl, urlFor, dashboard }: Site,
  platform: Platform,
  { secrets, notes, attempts, choices, logInMethods, logOutUrl }: UserParts,
): void {
  const { db, clock } = platform;
  const { limits } = settings;
  const logIn = { db, notes, attempts, accessUrl };
  const form = { ...logIn, limits: requestLimits, dashboard, choices };
  addCliAuthPage(app, form);
  addLogInPage(app, form);
  const sealed = new SealedNotes(secrets, "forms of users", clock);
  const page = { notes: sealed, holders: createKeyHolders(db, limits), requestLimits, accessUrl };
  addCliKeyPage(app, { ...page, tokens: { db, limits } });
  const devices = { ...page, ...platform, dashboard, codes: new DeviceCodes(secrets) };
  addDevicePage(app, devices);
  addDeviceRoutes(routes, { ...devices, urlFor });
  addAuditRoutes(routes, db, (userIds) => readUsersById(db, userIds));
  addUserRoutes(routes, { ...logIn, limits, logInMethods, logOutUrl });
  addGitKeyRoutes(routes, { db, secrets });
  addOrganizationRoutes(routes, db, (caller, reference) => findVisibleUser(db, caller, reference));
  addProvisionerRoutes(routes, db);
}
