import type { Registry } from "prom-client";

import { addDocsPage, addOpenApiRoutes } from "../features/deployment/openapi-routes.ts";
import { addPages } from "../features/deployment/page-routes.ts";
import { addDeploymentRoutes, addMonitoringRoutes } from "../features/deployment/routes.ts";
import { readDeploymentId } from "../features/deployment/service.ts";
import { addNotificationRoutes } from "../features/notifications/routes.ts";
import { createKeyHolders } from "../platform/auth/service.ts";
import type { Platform } from "../platform/platform.ts";
import type { Site } from "./open-http.ts";
import { buildVersion, slipwayVersion } from "./version.ts";
import type { Downloads } from "./wire-downloads.ts";

interface DeploymentParts {
  readonly registry: Registry;
  readonly downloads: Pick<Downloads, "scripts" | "areOffered">;
}

/** Adds the routes that describe the deployment itself, and the pages beside the API. */
export async function wireDeployment(
  { app, routes, requestLimits, draining, settings, accessUrl, urlFor, dashboard }: Site,
  { db, pubsub, clock }: Platform,
  { registry, downloads }: DeploymentParts,
): Promise<void> {
  addDeploymentRoutes(routes, {
    db,
    clock,
    version: buildVersion,
    accessUrl,
    deploymentId: await readDeploymentId(db),
    settings,
  });
  addOpenApiRoutes(routes, buildVersion);
  addDocsPage(app, requestLimits);
  addPages(app, {
    dashboard,
    limits: requestLimits,
    version: slipwayVersion,
    accessUrl,
    urlFor,
    holders: createKeyHolders(db, settings.limits),
    installScript: downloads.areOffered
      ? (request) =>
          downloads.scripts.install({ accessUrl: urlFor(request), version: buildVersion })
      : undefined,
  });
  addMonitoringRoutes(app, { db, clock, metrics: registry, limits: requestLimits, draining });
  addNotificationRoutes(routes, { db, pubsub, clock });
}
