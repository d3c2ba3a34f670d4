import type { Registry } from "prom-client";

import { addExternalAuthPages } from "../features/external-auth/page-routes.ts";
import { ProviderCounts, Providers } from "../features/external-auth/provider.ts";
import { addExternalAuthRoutes } from "../features/external-auth/routes.ts";
import type { ExternalAuthNeeds } from "../features/external-auth/service.ts";
import { SealedNotes } from "../platform/auth/sealed-notes.ts";
import type { SecretBox } from "../platform/auth/secret-box.ts";
import { createKeyHolders } from "../platform/auth/service.ts";
import type { Settings } from "../platform/config/settings.ts";
import type { Platform } from "../platform/platform.ts";
import type { Site } from "./open-http.ts";

interface ExternalAuthParts {
  readonly secrets: SecretBox;
  readonly registry: Registry;
}

/** Creates the services for the users' links to external providers. */
export function createExternalAuth(
  { externalAuth }: Settings,
  platform: Platform,
  { secrets, registry }: ExternalAuthParts,
): ExternalAuthNeeds {
  const logger = platform.logger.child({ part: "external auth" });
  const providers = new Providers(externalAuth);
  const counts = new ProviderCounts(registry);
  return { ...platform, logger, secrets, providers, counts };
}

/** Adds the routes and pages by which users log in to external providers. */
export function wireExternalAuth(
  { app, routes, requestLimits: limits, settings, accessUrl }: Site,
  externalAuth: ExternalAuthNeeds,
): void {
  const { db, secrets, clock } = externalAuth;
  const notes = new SealedNotes(secrets, "external auth", clock);
  const holders = createKeyHolders(db, settings.limits);
  addExternalAuthRoutes(routes, { ...externalAuth, notes });
  addExternalAuthPages(app, { ...externalAuth, notes, holders, limits, accessUrl });
}
