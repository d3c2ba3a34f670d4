import { hostname } from "node:os";
import type { DerpMap } from "@slipway/api/agents/derp-map";
import type { Route } from "@slipway/api/contract/route";
import { type Driver, ExternalDriver, ProcessDriver, refuseAborted } from "@slipway/drivers";
import { type EmbeddedPostgres, openEmbeddedPostgres } from "@slipway/postgres";
import type { StunListener } from "@slipway/relay";
import { type Clock, type Logger, Scope, systemClock, whenAborted } from "@slipway/runtime";
import { ConnectionMonitor } from "../features/agents/connections/connection-monitor.ts";
import { GatheredHeartbeat } from "../features/agents/connections/heartbeat.ts";
import { relayMap } from "../features/agents/manifest/derp-map.ts";
import { MetadataBatcher } from "../features/agents/metadata/metadata-batcher.ts";
import { AuditNotes } from "../features/audit/note-service.ts";
import { runCleanup } from "../features/cleanup/service.ts";
import { createMetrics } from "../features/deployment/metrics.ts";
import { announceWorker } from "../features/organizations/worker-service.ts";
import { addPoolMetrics } from "../features/prebuilds/pools/metrics.ts";
import { defaultReconciler, runReconciler } from "../features/prebuilds/reconcile/reconciler.ts";
import { runSchedules } from "../features/schedules/scheduler.ts";
import { addCoordinatorMetrics, Coordinator } from "../network/coordinator/coordinator.ts";
import { PostgresDirectory } from "../network/coordinator/postgres-directory.ts";
import { guardStreams } from "../platform/auth/stream-guard.ts";
import type { Settings } from "../platform/config/settings.ts";
import { DatabaseConnections } from "../platform/db/connections.ts";
import { DatabaseClock, selectTimeMs } from "../platform/db/database-clock.ts";
import { connectionOptions, type Database, openDatabase } from "../platform/db/database.ts";
import { migrate } from "../platform/db/migrate.ts";
import { waitForDatabase } from "../platform/db/wait-for-database.ts";
import { PostgresPubSub } from "../platform/pubsub/postgres-pubsub.ts";
import { openDataDirectory } from "./data-directory.ts";
import { type Demo, openDemo } from "./demo.ts";
import { isAnyAddress, tryAddress } from "./listen.ts";
import { openHttp } from "./open-http.ts";
import { openSecrets } from "./open-secrets.ts";
import { runJobs } from "./run-jobs.ts";
import { cutOffUnfinished, openUnfinished } from "./connection-limits.ts";
import { buildVersion } from "./version.ts";
import { wireAgents } from "./wire-agents.ts";
import { type Apps, wireApps } from "./wire-apps.ts";
import { wireDeployment } from "./wire-deployment.ts";
import { type InstalledArchives, openDownloads, wireDownloads } from "./wire-downloads.ts";
import { createExternalAuth, wireExternalAuth } from "./wire-external-auth.ts";
import { createOwnPeer, wireNetwork } from "./wire-network.ts";
import { openMesh, openRelay, openStun, wireRelay } from "./wire-relay.ts";
import { wireUsers } from "./wire-users.ts";
import { wireWorkspaces } from "./wire-workspaces.ts";

export interface ServerOptions {
  readonly settings: Settings;
  /** The agent's command line, for the driver `process`. */
  readonly agentCommand: readonly string[];
  /** Programs by name, appended to the `PATH` of that driver's workspaces. */
  readonly workspacePrograms?: Readonly<Record<string, readonly string[]>>;
  /** The archives of the agent and the command that this installation has (default: none). */
  readonly archives?: InstalledArchives;
  readonly logger: Logger;
  /** The machine's clock (default: the system's). */
  readonly clock?: Clock;
  /** Drivers in addition to the built-in ones. */
  readonly drivers?: readonly Driver[];
  /** Runs before the server listens, to create what it needs, such as a user who can log in. */
  readonly beforeListening?: (db: Database) => Promise<void>;
  /** Cancels the start. */
  readonly signal: AbortSignal;
}

/** A running server. Its creator closes it. */
export interface Server extends AsyncDisposable {
  /** The URL at which agents, people and programs reach it. */
  readonly accessUrl: string;
  readonly db: Database;
  /** The served routes of the contract. */
  readonly routes: readonly Route[];
  /** Creates the demonstration's workspace and waits for it; undefined if nobody could own it. */
  openDemo(signal: AbortSignal): Promise<Demo | undefined>;
  /** Resolves with a reason when the server cannot continue: its database ended. */
  readonly failed: Promise<string>;
  /** Stops serving. Agents keep running, unless `stopAgents` asks to stop them first, gracefully. Idempotent. */
  close(options?: { readonly stopAgents: boolean }): Promise<void>;
  /** Returns what a close under way waits for, for people. */
  waitsFor(): string;
}

/** The time that the database may be silent once a start is canceled, in milliseconds. */
const canceledStartMs = 1_000;
/** The time agents have to stop with the server, in milliseconds. */
const stopAgentsTimeoutMs = 30_000;

/**
 * Opens everything, from the data directory up, and closes it in reverse order. Throws `StartError`, `DatabaseError` or
 * `EmbeddedPostgresError`, with nothing left open.
 */
export async function createServer(options: ServerOptions): Promise<Server> {
  await using opened = new AsyncDisposableStack();
  let step = "builds and other work in the background";
  const { settings, logger, clock: machine = systemClock } = options;
  const { limits } = settings;
  const directory = opened.use(await openDataDirectory(settings.dataDir));
  const { replicaId } = directory;
  await tryAddress(settings.listen);
  const postgres = await openPostgres(settings, directory.path, {
    logger,
    clock: machine,
    signal: options.signal,
  });
  const connections = new DatabaseConnections({ clock: machine, logger });
  opened.defer(() => postgres?.close({ isHanging: connections.isAbandoned }));
  const address = postgres?.connection ?? { url: settings.postgresUrl ?? "" };
  opened.use(connections);
  const db = opened.adopt(openDatabase(address, logger, connections), (one) => one.destroy());
  let hasStarted = false;
  // A start that is canceled goes on to where it can end. It has nothing to record.
  void whenAborted(options.signal).then(() => {
    if (!hasStarted) connections.limitSilence(canceledStartMs);
  });
  await waitForDatabase(db, { clock: machine, logger, signal: options.signal });
  const applied = await migrate(db);
  if (applied.length > 0) logger.info({ migrations: applied }, "database brought up to date");
  const readTimeMs = (): Promise<number> => selectTimeMs(db);
  const clock = opened.use(await DatabaseClock.open({ readTimeMs, machine, logger }));
  const secrets = await openSecrets(db, settings, directory);
  await options.beforeListening?.(db);
  const pubsub = opened.use(
    new PostgresPubSub({
      db,
      connection: connectionOptions(address),
      replicaId,
      clock,
      logger,
    }),
  );
  opened.defer(() => void (step = "the database"));
  const notes = opened.use(new AuditNotes({ db, clock, logger }));
  const heartbeat = opened.use(new GatheredHeartbeat(db, clock, logger));
  const sessionNeeds = { db, heartbeat, pubsub, clock, logger };
  const monitor = opened.use(new ConnectionMonitor(sessionNeeds, replicaId));
  const peers = await PostgresDirectory.open({ db, pubsub, clock, logger });
  const coordinator = opened.use(new Coordinator({ directory: peers, clock, logger }));
  const metadata = opened.use(new MetadataBatcher({ db, pubsub, clock, logger }));
  const driver = new ProcessDriver({
    workspacesDir: `${directory.path}/workspaces`,
    runtimeDir: `${directory.path}/runtime`,
    users: process.getuid?.() === 0 ? settings.processDriver.uids : undefined,
    agentCommand: options.agentCommand,
    programs: options.workspacePrograms ?? {},
    isEnabled: settings.processDriver.isEnabled,
    logger,
    clock,
  });
  const external = new ExternalDriver();
  const drivers = new Map<string, Driver>(
    [driver, external, ...(options.drivers ?? [])].map((one) => [one.name, refuseAborted(one)]),
  );
  const { archives } = options;
  const downloadParts = { dataDir: directory.path, archives, clock, logger };
  const downloads = opened.use(await openDownloads(settings, downloadParts));
  const metrics = createMetrics();
  addCoordinatorMetrics(metrics.registry, () => coordinator.counters);
  addPoolMetrics(metrics.registry, { db, clock, logger, limits: defaultReconciler });
  const { claimSeconds, reconciliationSeconds } = metrics;
  const { registry } = metrics;
  const unfinished = openUnfinished(limits);
  const relayParts = { db, coordinator, secrets, unfinished, clock, logger, registry };
  const relay = opened.use(await openRelay(settings, relayParts));
  const platform = { db, pubsub, clock, logger };
  const externalAuth = createExternalAuth(settings, platform, { secrets, registry });
  let stun: StunListener | undefined;
  let apps: Apps | undefined;
  const work = new Scope();
  const http = await openHttp(
    { db, clock, logger, metrics, unfinished },
    settings,
    async (site) => {
      await wireDeployment(site, { db, pubsub, clock, registry: metrics.registry, downloads });
      wireDownloads(site, downloads);
      wireUsers(site, { db, clock, secrets, notes });
      wireExternalAuth(site, externalAuth);
      wireWorkspaces(site, platform, { secrets, drivers, claimSeconds, externalAuth });
      const readDerpMap = (): DerpMap => relayMap(site.accessUrl(), stun?.port);
      wireAgents(site, platform, {
        secrets,
        notes,
        metadata,
        monitor,
        metrics,
        readDerpMap,
        coordinator,
        unfinished,
        hasDownloads: downloads.areOffered,
        externalAuth,
      });
      const parts = { coordinator, readDerpMap };
      const reach = opened.use(createOwnPeer(platform, { ...parts, relay, registry }));
      const networkParts = { ...parts, secrets, absent: peers, unfinished, reach };
      const access = wireNetwork(site, platform, networkParts);
      work.run((stop) => access.run(stop));
      apps = wireApps(site, platform, { secrets, reach, registry });
      work.run((stop) => apps?.run(stop) ?? Promise.resolve());
      wireRelay(site, { relay, clock });
    },
  );
  opened.use(http);
  warnOfUnknownUrl(settings, http.accessUrl, logger);
  // What is under way with apps ends before the listener closes.
  opened.use(apps);
  // Clients are told before the listener closes.
  opened.defer(() => relay.close());
  opened.defer(() => downloads.store.stop());
  stun = opened.use(await openStun(settings.stun, http.port, { clock, logger }));
  const meshParts = { db, pubsub, clock, logger, registry };
  const mesh = await openMesh({ relay, listenPort: http.port }, settings, meshParts);
  const needs = { db, secrets, drivers, accessUrl: http.accessUrl };
  opened.use(work);
  work.run((stop) => cutOffUnfinished(unfinished, clock, stop));
  work.run((stop) =>
    runJobs(
      needs,
      { pubsub, clock, logger, workerId: replicaId, endedJobs: metrics.endedJobs },
      stop,
    ),
  );
  work.run((stop) => runSchedules({ db, pubsub, clock, logger, limits }, stop));
  work.run((stop) =>
    runReconciler({ db, pubsub, clock, logger, reconciliationSeconds }, defaultReconciler, stop),
  );
  work.run((stop) => downloads.run(stop));
  work.run((stop) => mesh.run(stop));
  work.run((stop) => runCleanup({ db, clock, logger }, stop));
  const worker = {
    id: replicaId,
    name: hostname(),
    version: buildVersion,
    drivers: [...drivers.values()]
      .filter((one) => one.refusal === undefined)
      .map(({ name }) => name),
  };
  work.run((stop) => announceWorker({ db, clock, logger }, worker, stop));
  work.run((stop) => guardStreams({ db, pubsub, clock, logger, limits }, http.streams, stop));
  const resources = opened.move();
  hasStarted = true;

  let closing: Promise<void> | undefined;
  const close = async (stopAgents: boolean): Promise<void> => {
    connections.limitSilence();
    // No new work starts; what runs may then still report its end to the listener.
    await work.close();
    step = "the workspaces to stop";
    if (stopAgents)
      await driver.shutdownAll({
        signal: AbortSignal.timeout(stopAgentsTimeoutMs * 2),
        timeoutMs: stopAgentsTimeoutMs,
      });
    step = "clients and agents to disconnect";
    await resources.disposeAsync();
  };
  return {
    accessUrl: http.accessUrl,
    db,
    routes: http.routes,
    openDemo: (signal) =>
      openDemo({ db, pubsub, clock, limits, secrets, drivers, claimSeconds }, signal),
    failed: failureOf(postgres),
    waitsFor: () => (connections.statements > 0 ? "the database" : step),
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

/** A server that other machines reach does not know by which address. */
function warnOfUnknownUrl({ listen, accessUrl }: Settings, url: string, logger: Logger): void {
  if (accessUrl !== undefined || !isAnyAddress(listen.host)) return;
  logger.warn(
    { address: listen.host, url },
    "SLIPWAY_ACCESS_URL is not set: agents, apps and links use a URL that only this machine reaches; set it to the one that others use",
  );
}

async function failureOf(postgres: EmbeddedPostgres | undefined): Promise<string> {
  if (postgres === undefined) return new Promise(() => undefined);
  const { code, signal } = await postgres.exited;
  // Only the server that started it learns more (`PostgresExit`).
  const status = code === null ? "exit status unknown" : `exit code ${code}`;
  return `the embedded PostgreSQL ended (${signal ?? status}); its log is postgres.log in the data directory`;
}
