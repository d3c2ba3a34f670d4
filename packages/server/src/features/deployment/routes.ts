import type { ResponseOf } from "@slipway/api/contract/route";
import { zeroTimestamp } from "@slipway/api/contract/scalars";
import { scopeNames } from "@slipway/api/contract/scopes";
import {
  checkAuthorization,
  getAppearance,
  getApplicationsHost,
  getBuildInfo,
  getDeploymentConfig,
  getDeploymentStats,
  getEntitlements,
  getHealthReport,
  getSshConfig,
  getUpdateCheck,
  listExperiments,
  listRegions,
  listScopes,
  updateAppearance as updateAppearanceRoute,
} from "@slipway/api/deployment/routes";
import type { Clock } from "@slipway/runtime";
import type { FastifyInstance } from "fastify";
import type { Registry } from "prom-client";

import { isOwnerRole } from "../../platform/auth/rights.ts";
import type { Settings } from "../../platform/config/settings.ts";
import { wildcardHostname } from "../../platform/config/wildcard-access-url.ts";
import type { Database } from "../../platform/db/database.ts";
import { notFound, Unavailable } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import type { Draining } from "../../platform/http/draining.ts";
import { fixedAnswer, sendFixed } from "../../platform/http/fixed-answer.ts";
import type { RequestLimits } from "../../platform/http/request-limits.ts";
import type { Routes } from "../../platform/http/routes.ts";
import type { Platform } from "../../platform/platform.ts";
import { answerChecks } from "./auth-check.ts";
import { documentationPath } from "./documentation.ts";
import { pingDatabase, reportHealth } from "./health-service.ts";
import { readAppearance, updateAppearance } from "./service.ts";
import { shareFor } from "./share-for.ts";
import { readStats } from "./stats-service.ts";

/**
 * The time for which all callers share an answer that costs more than its request, in milliseconds: the rate of requests is
 * not limited.
 */
const sharedMs = 1_000;
/** The same time for metrics, which a person may be watching. */
const metricsSharedMs = 250;

/**
 * The features of templates that the stock command sets only if it finds them here. They need no license.
 */
const entitlements: ResponseOf<typeof getEntitlements> = {
  features: {
    access_control: { entitlement: "entitled", enabled: true },
    advanced_template_scheduling: { entitlement: "entitled", enabled: true },
  },
  warnings: [],
  errors: [],
  has_license: false,
  trial: false,
  require_telemetry: false,
  refreshed_at: zeroTimestamp,
};

interface DeploymentNeeds extends Pick<Platform, "db" | "clock"> {
  readonly version: string;
  /** Known once the server listens. */
  readonly accessUrl: () => string;
  readonly deploymentId: string;
  readonly settings: Settings;
}

export function addDeploymentRoutes(routes: Routes, needs: DeploymentNeeds): void {
  const { db, version, accessUrl, deploymentId } = needs;
  routes.anyone(getBuildInfo, async () => ({
    external_url: accessUrl(),
    version,
    dashboard_url: accessUrl(),
    telemetry: false,
    workspace_proxy: false,
    // Constants of the protocol (docs/protocol/clients.md §0.6).
    agent_api_version: "1.0",
    provisioner_api_version: "1.18",
    upgrade_message: `Slipway works with coder commands of ${stockVersions}: there is nothing to upgrade.`,
    deployment_id: deploymentId,
  }));
  routes.anyone(getUpdateCheck, async () => ({ current: true, version, url: accessUrl() }));
  routes.anyone(getAppearance, async () => ({
    application_name: "Slipway",
    logo_url: "",
    docs_url: `${accessUrl()}${documentationPath}`,
    service_banner: { enabled: false },
    ...(await readAppearance(db)),
  }));
  routes.user(updateAppearanceRoute, ({ body }, user) => updateAppearance(db, user, body));
  addClientSettings(routes, needs);
  addOwnerRoutes(routes, needs);
}

/** Adds the routes that clients configure themselves from (docs/protocol/clients.md §0.6). */
function addClientSettings(
  routes: Routes,
  { db, accessUrl, deploymentId, settings }: DeploymentNeeds,
): void {
  const appsHost = (): string => wildcardHostname(settings.wildcardAccessUrl, accessUrl());
  routes.user(getSshConfig, async () => ({
    hostname_prefix: settings.ssh.hostnamePrefix,
    hostname_suffix: settings.ssh.hostnameSuffix,
    ssh_config_options: settings.ssh.configOptions,
  }));
  routes.user(listRegions, async () => ({
    regions: [
      {
        id: deploymentId,
        name: "primary",
        display_name: "Default",
        icon_url: "/emojis/1f3e1.png",
        healthy: true,
        path_app_url: accessUrl(),
        wildcard_hostname: appsHost(),
      },
    ],
  }));
  routes.user(getApplicationsHost, async () => ({ host: appsHost() }));
  routes.user(listExperiments, async () => []);
  routes.user(getEntitlements, async () => entitlements);
  routes.anyone(listScopes, async () => ({ external: [...scopeNames] }));
  routes.user(checkAuthorization, ({ body }, user) => answerChecks(db, user, body.checks));
}

function addOwnerRoutes(routes: Routes, needs: DeploymentNeeds): void {
  const { db, clock, version, accessUrl, settings } = needs;
  const stats = shareFor(sharedMs, clock, () => readStats(db, clock.now()));
  const health = shareFor(sharedMs, clock, () =>
    reportHealth(db, { version, accessUrl: accessUrl(), now: clock.now() }),
  );
  routes.user(getDeploymentConfig, async (_request, user) => {
    requireOwner(user);
    return reportConfig(settings, { version, accessUrl: accessUrl() });
  });
  routes.user(getDeploymentStats, async (_request, user) => {
    requireOwner(user);
    return stats();
  });
  routes.user(getHealthReport, async (_request, user) => {
    requireOwner(user);
    return health();
  });
}

function requireOwner(user: UserCaller): void {
  if (!isOwnerRole(user)) throw notFound();
}

interface MonitoringNeeds {
  readonly db: Database;
  readonly metrics: Registry;
  readonly limits: RequestLimits;
  readonly clock: Pick<Clock, "monotonic">;
  readonly draining: Pick<Draining, "hasBegun">;
}

/** Adds the routes for monitoring, outside the API: readiness and metrics. */
export function addMonitoringRoutes(
  app: FastifyInstance,
  { db, metrics, limits, clock, draining }: MonitoringNeeds,
): void {
  const ping = shareFor(sharedMs, clock, () => pingDatabase(db));
  app.get("/healthz", async (_request, reply) => {
    if (draining.hasBegun) throw new Unavailable("This server is about to stop.");
    try {
      await ping();
    } catch (error) {
      throw new Unavailable("The database does not answer.", { cause: error });
    }
    return reply.type("text/plain; charset=utf-8").serializer(String).send("OK");
  });
  // Measures the latency from a browser: any page may request it (docs/protocol/rest.md §1.8).
  app.get("/latency-check", async (_request, reply) =>
    reply
      .headers({ "Access-Control-Allow-Origin": "*", "Timing-Allow-Origin": "*" })
      .type("text/plain; charset=utf-8")
      .serializer(String)
      .send("OK"),
  );
  const measure = shareFor(metricsSharedMs, clock, async () =>
    fixedAnswer(metrics.contentType, await metrics.metrics()),
  );
  app.get("/metrics", async (request, reply) => {
    limits.countPage("/metrics", request, reply);
    return sendFixed(request, reply, await measure());
  });
}

interface ConfigFacts {
  readonly version: string;
  readonly accessUrl: string;
}

/** Returns the settings, without secrets. */
function reportConfig(
  settings: Settings,
  { version, accessUrl }: ConfigFacts,
): ResponseOf<typeof getDeploymentConfig> {
  const { host, port } = settings.listen;
  return {
    config: {
      version,
      access_url: accessUrl,
      http_address: `${host.includes(":") ? `[${host}]` : host}:${port}`,
      data_directory: settings.dataDir,
      database: settings.postgresUrl === undefined ? "embedded" : "external",
      log_level: settings.log.level,
      log_format: settings.log.format,
    },
    options: settings.variables.map(({ name, summary, value, fallback, isGiven, isSecret }) => ({
      env: name,
      description: summary,
      value,
      default: fallback,
      value_source: isGiven ? "given" : "default",
      secret: isSecret,
    })),
  };
}

/** Releases of the stock command and agent that work with this server. */
export const stockVersions = "v2.24 to v2.37";
