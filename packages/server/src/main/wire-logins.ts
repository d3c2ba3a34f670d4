import { refusalText } from "@slipway/api/users/log-in-refusals";
import type { LogInMethod } from "@slipway/api/users/user";
import type { Registry } from "prom-client";

import type { AuditNotes } from "../features/audit/note-service.ts";
import { addBackChannelLogOut } from "../features/logins/back-channel-routes.ts";
import { providerLogOutUrl } from "../features/logins/log-out.ts";
import { addLogInPages } from "../features/logins/page-routes.ts";
import { LogInCounts, logInPath, LogInProviders } from "../features/logins/providers.ts";
import { addLogInProviderRoutes } from "../features/logins/routes.ts";
import type { ProviderChoices } from "../features/users/log-in-form.ts";
import type { PasswordAttempts } from "../platform/auth/password-attempts.ts";
import { SealedNotes } from "../platform/auth/sealed-notes.ts";
import type { SecretBox } from "../platform/auth/secret-box.ts";
import { createKeyHolders } from "../platform/auth/service.ts";
import type { Platform } from "../platform/platform.ts";
import type { Site } from "./open-http.ts";

/** The login providers, as the other parts of the server know them. */
export interface LogIns {
  readonly providers: LogInProviders;
  readonly choices: ProviderChoices;
  readonly logInMethods: readonly LogInMethod[];
  /** Returns the address at which a user's browser logs out at their provider; undefined if there is none. */
  readonly logOutUrl: (userId: string) => Promise<string | undefined>;
}

/** Creates the clients of the login providers. Nothing is requested of a provider before its first login. */
export function createLogIns(
  { settings, accessUrl }: Pick<Site, "settings" | "accessUrl">,
  platform: Platform,
  secrets: SecretBox,
): LogIns {
  const providers = new LogInProviders(settings.logInProviders, platform);
  return {
    providers,
    choices: {
      list: providers.list.map((provider) => ({
        displayName: provider.displayName,
        path: logInPath(provider),
      })),
      problemOf: (search) => {
        const provider = providers.byId(search.get("provider") ?? "");
        return provider && refusalText(search.get("error"), provider.displayName);
      },
    },
    logInMethods: providers.list.map((provider) => ({
      id: provider.id,
      type: provider.type,
      display_name: provider.displayName,
      icon_url: provider.displayIcon,
      login_url: logInPath(provider),
    })),
    logOutUrl: (userId) =>
      providerLogOutUrl({ ...platform, secrets, providers, accessUrl }, userId),
  };
}

interface LogInParts {
  readonly providers: LogInProviders;
  readonly secrets: SecretBox;
  readonly notes: AuditNotes;
  readonly attempts: PasswordAttempts;
  readonly registry: Registry;
}

/** Adds the addresses at which users log in at providers. */
export function wireLogIns(
  { app, routes, settings, requestLimits: limits, accessUrl, dashboard }: Site,
  { db, clock, logger }: Platform,
  { providers, secrets, notes: auditNotes, attempts, registry }: LogInParts,
): void {
  const person = { db, clock, secrets, auditNotes, logger: logger.child({ part: "logins" }) };
  const notes = new SealedNotes(secrets, "logins", clock);
  const counts = new LogInCounts(registry);
  addLogInProviderRoutes(routes, { db, clock, secrets, providers, attempts, notes });
  addBackChannelLogOut(app, { db, logger: person.logger, providers, limits });
  addLogInPages(app, {
    ...person,
    notes,
    accessUrl,
    providers,
    counts,
    limits,
    holders: createKeyHolders(db, settings.limits),
    conversionPage: dashboard === undefined ? "/login" : "/settings/security",
  });
}
