import { hostname } from "node:os";

import type { Route } from "@slipway/api";
import {
  type Clock,
  errorText,
  type Logger,
  Scope,
  systemClock,
  whenAborted,
} from "@slipway/runtime";

import { GatheredHeartbeat, type Heartbeat } from "../agents/heartbeat.ts";
import { IdentityVerifier } from "../agents/identity/verifier.ts";
import { MetadataBatcher, type MetadataSink } from "../agents/metadata-batcher.ts";
import { addAgentRoutes } from "../agents/routes.ts";
import { addAuditRoutes } from "../audit/routes.ts";
import { SecretBox } from "../auth/secret-box.ts";
import { createAuthenticator } from "../auth/service.ts";
import { guardStreams } from "../auth/stream-guard.ts";
import { buildHandler, type BuildNeeds } from "../builds/build-job.ts";
import { noteActivity } from "../builds/deadline-service.ts";
import { restoreWorkspaces } from "../builds/restore.ts";
import { addBuildRoutes } from "../builds/routes.ts";
import { runCleanup } from "../cleanup/service.ts";
import type { Settings } from "../config/settings.ts";
import { connectionOptions, type Database, openDatabase } from "../db/database.ts";
import { migrate } from "../db/migrate.ts";
import { addDocsPage } from "../deployment/docs-page.ts";
import { createMetrics, measureRequests, type Metrics } from "../deployment/metrics.ts";
import { addOpenApiRoutes } from "../deployment/openapi-routes.ts";
import { addDeploymentRoutes, addMonitoringRoutes } from "../deployment/routes.ts";
import { readDeploymentId } from "../deployment/service.ts";
import type { Driver } from "../drivers/driver.ts";
import { ExternalDriver } from "../drivers/external/external-driver.ts";
import { ProcessDriver } from "../drivers/process/process-driver.ts";
import { addFileRoutes } from "../files/routes.ts";
import { createHttpServer } from "../http/http-server.ts";
import { RateLimiter } from "../http/rate-limit.ts";
import { Routes } from "../http/routes.ts";
import { JobWorker } from "../jobs/worker.ts";
import { addNotificationRoutes } from "../notifications/routes.ts";
import { addProvisionerRoutes } from "../organizations/provisioner-routes.ts";
import { addOrganizationRoutes } from "../organizations/routes.ts";
import { announceWorker } from "../organizations/worker-service.ts";
import { type EmbeddedPostgres, openEmbeddedPostgres } from "../postgres/embedded-postgres.ts";
import { takePrebuild } from "../prebuilds/claim/service.ts";
import { addPoolMetrics } from "../prebuilds/pools/metrics.ts";
import { defaultReconciler, runReconciler } from "../prebuilds/reconcile/reconciler.ts";
import { addPrebuildRoutes } from "../prebuilds/routes.ts";
import { PostgresPubSub } from "../pubsub/postgres-pubsub.ts";
import { runSchedules } from "../schedules/scheduler.ts";
import { dryRunHandler } from "../templates/dry-run-job.ts";
import { importHandler } from "../templates/import-job.ts";
import { addTemplateRoutes } from "../templates/routes.ts";
import { addCliAuthPage } from "../users/cli-auth-routes.ts";
import { addGitKeyRoutes } from "../users/git-key-routes.ts";
import { readUsersById } from "../users/list-service.ts";
import { addUserRoutes } from "../users/routes.ts";
import { findVisibleUser } from "../users/service.ts";
import { addExternalAgentRoutes } from "../workspaces/external-agent-routes.ts";
import { addWorkspaceRoutes } from "../workspaces/routes.ts";
import { chooseSecretKeys, openDataDirectory } from "./data-directory.ts";
import { type Demo, openDemo } from "./demo.ts";
import { type Listener, listen } from "./listen.ts";
import { buildVersion } from "./version.ts";

export interface ServerOptions {
  readonly settings: Settings;
  /** The program that is the agent, with its arguments, for the driver `process`. */
  readonly agentCommand: readonly string[];
  readonly logger: Logger;
  readonly clock?: Clock;
  /** More drivers than those that every server has. */
  readonly drivers?: readonly Driver[];
  /** What must be there before anybody is answered, such as somebody who can log in. */
  readonly beforeListening?: (db: Database) => Promise<void>;
  /** Ends the start. */
  readonly signal: AbortSignal;
}

/** A running server. Whoever created it closes it. */
export interface Server extends AsyncDisposable {
  /** How agents, people and programs reach it. */
  readonly accessUrl: string;
  readonly db: Database;
  /** The routes of the contract that it serves. */
  readonly routes: readonly Route[];
  /** Makes the demonstration's workspace and waits for it; undefined when nobody could own it. */
  openDemo(signal: AbortSignal): Promise<Demo | undefined>;
  /** Resolves with a reason when the server cannot go on: its database ended. */
  readonly failed: Promise<string>;
  /** Stops serving. Agents run on, unless `stopAgents` asks to end them, gracefully, first. Idempotent. */
  close(options?: { readonly stopAgents: boolean }): Promise<void>;
}

/** How long agents have to stop with the server, in milliseconds. */
const stopAgentsTimeoutMs = 30_000;

/**
 * Opens everything, from the data directory up, and closes it the other way round. Throws `StartError`, `DatabaseError`
 * or `EmbeddedPostgresError`, with nothing left open.
 */
export async function createServer(options: ServerOptions): Promise<Server> {
  await using opened = new AsyncDisposableStack();
  const { settings, logger, clock = systemClock } = options;
  const directory = opened.use(await openDataDirectory(settings.dataDir));
  const postgres = await openPostgres(settings, directory.path, {
    logger,
    clock,
    signal: options.signal,
  });
  if (postgres !== undefined) opened.use(postgres);
  const address = postgres?.connection ?? { url: settings.postgresUrl ?? "" };
  const db = opened.adopt(openDatabase(address, logger), (database) => database.destroy());
  const applied = await migrate(db);
  if (applied.length > 0) logger.info({ migrations: applied }, "database brought up to date");
  await options.beforeListening?.(db);
  const secrets = new SecretBox(chooseSecretKeys(settings, directory.secretKeys));
  const pubsub = opened.use(
    new PostgresPubSub({
      db,
      connection: connectionOptions(address),
      replicaId: directory.replicaId,
      clock,
      logger,
    }),
  );
  const heartbeat = opened.use(new GatheredHeartbeat(db, clock, logger));
  const metadata = opened.use(new MetadataBatcher({ db, pubsub, clock, logger }));
  const driver = new ProcessDriver({
    workspacesDir: `${directory.path}/workspaces`,
    agentCommand: options.agentCommand,
    logger,
    clock,
  });
  const external = new ExternalDriver();
  const drivers = new Map<string, Driver>(
    [driver, external, ...(options.drivers ?? [])].map((one) => [one.name, one]),
  );
  const metrics = createMetrics();
  addPoolMetrics(metrics.registry, { db, clock, logger, limits: defaultReconciler });
  const { claimSeconds, reconciliationSeconds } = metrics;
  const http = await openHttp(
    {
      db,
      pubsub,
      clock,
      logger,
      secrets,
      drivers,
      metadata,
      heartbeat,
      metrics,
      replicaId: directory.replicaId,
    },
    settings,
  );
  opened.use(http);
  const needs = { db, secrets, drivers, accessUrl: http.accessUrl };
  const work = opened.use(new Scope());
  work.run((stop) =>
    carryOut(
      needs,
      { pubsub, clock, logger, workerId: directory.replicaId, endedJobs: metrics.endedJobs },
      stop,
    ),
  );
  work.run((stop) => runSchedules({ db, pubsub, clock, logger }, stop));
  work.run((stop) =>
    runReconciler({ db, pubsub, clock, logger, reconciliationSeconds }, defaultReconciler, stop),
  );
  work.run((stop) => runCleanup({ db, clock, logger }, stop));
  const worker = {
    id: directory.replicaId,
    name: hostname(),
    version: buildVersion,
    drivers: [...drivers.keys()],
  };
  work.run((stop) => announceWorker({ db, clock, logger }, worker, stop));
  work.run((stop) => guardStreams({ db, pubsub, clock, logger }, http.streams, stop));
  const resources = opened.move();

  let closing: Promise<void> | undefined;
  const close = async (stopAgents: boolean): Promise<void> => {
    // Nothing is started any more; then what runs may still report its end to the listener.
    await work.close();
    if (stopAgents)
      await driver.shutdownAll({
        signal: AbortSignal.timeout(stopAgentsTimeoutMs * 2),
        timeoutMs: stopAgentsTimeoutMs,
      });
    await resources.disposeAsync();
  };
  return {
    accessUrl: http.accessUrl,
    db,
    routes: http.routes,
    openDemo: (signal) =>
      openDemo({ db, pubsub, clock, secrets, drivers, takePrebuild, claimSeconds }, signal),
    failed: failureOf(postgres),
    close: ({ stopAgents } = { stopAgents: false }) => (closing ??= close(stopAgents)),
    [Symbol.asyncDispose]: () => (closing ??= close(false)),
  };
}

function openPostgres(
  settings: Settings,
  dataDir: string,
  options: { readonly logger: Logger; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<EmbeddedPostgres> | undefined {
  return settings.postgresUrl === undefined
    ? openEmbeddedPostgres({ ...options, dataDir })
    : undefined;
}

async function failureOf(postgres: EmbeddedPostgres | undefined): Promise<string> {
  if (postgres === undefined) return new Promise(() => undefined);
  const { code, signal } = await postgres.exited;
  return `the embedded PostgreSQL ended (${signal ?? `exit code ${code}`})`;
}

interface HttpNeeds {
  readonly db: Database;
  readonly pubsub: PostgresPubSub;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly secrets: SecretBox;
  readonly metadata: MetadataSink;
  readonly heartbeat: Heartbeat;
  readonly metrics: Metrics;
  readonly replicaId: string;
  readonly drivers: ReadonlyMap<string, Driver>;
}

/** The listener with the routes of every feature. */
async function openHttp(
  needs: HttpNeeds,
  settings: Settings,
): Promise<Listener & Pick<Server, "routes"> & Pick<Routes, "streams">> {
  const { db, logger } = needs;
  const app = await createHttpServer(buildVersion, logger, settings);
  const { metrics } = needs;
  measureRequests(app, metrics);
  let accessUrl = settings.accessUrl ?? "";
  const limiter = new RateLimiter(needs.clock);
  const routes = new Routes(
    app,
    createAuthenticator(db, () => accessUrl),
    limiter,
    logger,
  );
  const deploymentId = await readDeploymentId(db);
  addDeploymentRoutes(routes, {
    ...needs,
    version: buildVersion,
    accessUrl: () => accessUrl,
    deploymentId,
    settings,
  });
  addOpenApiRoutes(routes, buildVersion);
  addDocsPage(app);
  addMonitoringRoutes(app, db, metrics.registry);
  addNotificationRoutes(routes);
  addCliAuthPage(app, db, limiter);
  addAuditRoutes(routes, db, (userIds) => readUsersById(db, userIds));
  addUserRoutes(routes, db);
  addGitKeyRoutes(routes, needs);
  addOrganizationRoutes(routes, db, (caller, reference) => findVisibleUser(db, caller, reference));
  addProvisionerRoutes(routes, db);
  addFileRoutes(routes, db);
  addTemplateRoutes(routes, needs);
  addBuildRoutes(routes, needs);
  const { claimSeconds } = metrics;
  addWorkspaceRoutes(routes, { ...needs, takePrebuild, claimSeconds });
  addExternalAgentRoutes(routes, { ...needs, accessUrl: () => accessUrl });
  addPrebuildRoutes(routes, { ...needs, limits: defaultReconciler });
  addAgentRoutes(routes, {
    ...needs,
    ...metrics,
    identities: new IdentityVerifier({ ...needs, settings: settings.identity }),
    noteActivity: (workspaceId) => noteActivity(db, workspaceId),
  });
  const listener = await listen(app, settings);
  accessUrl = listener.accessUrl;
  return { ...listener, routes: routes.added, streams: routes.streams };
}

interface WorkerNeeds {
  readonly pubsub: PostgresPubSub;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly workerId: string;
  readonly endedJobs: Metrics["endedJobs"];
}

/**
 * Brings back the workspaces of this machine, then carries out builds and imports until the end: in this order, so that no
 * workspace is started while a build stops it.
 */
async function carryOut(
  needs: BuildNeeds,
  options: WorkerNeeds,
  signal: AbortSignal,
): Promise<void> {
  const { logger, workerId } = options;
  try {
    await restoreWorkspaces(needs, workerId, logger, signal);
  } catch (error) {
    signal.throwIfAborted();
    logger.error({ error: errorText(error) }, "workspaces of this machine were not looked after");
  }
  const worker = new JobWorker({
    ...options,
    db: needs.db,
    handlers: {
      template_version_import: importHandler(needs.db, needs.drivers),
      template_version_dry_run: dryRunHandler(needs.db, needs.drivers),
      workspace_build: buildHandler(needs),
    },
  });
  await whenAborted(signal);
  await worker[Symbol.asyncDispose]();
}
