import { type Driver, ExternalDriver, ProcessDriver, refuseAborted } from "@slipway/drivers";
import { type EmbeddedPostgres, openEmbeddedPostgres } from "@slipway/postgres";
import type { Relay } from "@slipway/relay";
import {
  type Clock,
  type Logger,
  systemClock,
  type UnfinishedBytes,
  whenAborted,
} from "@slipway/runtime";

import { ConnectionMonitor } from "../features/agents/connections/connection-monitor.ts";
import { GatheredHeartbeat } from "../features/agents/connections/heartbeat.ts";
import { MetadataBatcher } from "../features/agents/metadata/metadata-batcher.ts";
import { AuditNotes } from "../features/audit/note-service.ts";
import { createMetrics, type Metrics } from "../features/deployment/metrics.ts";
import type { ExternalAuthNeeds } from "../features/external-auth/service.ts";
import { addPoolMetrics } from "../features/prebuilds/pools/metrics.ts";
import { defaultReconciler } from "../features/prebuilds/reconcile/reconciler.ts";
import { addCoordinatorMetrics, Coordinator } from "../network/coordinator/coordinator.ts";
import { PostgresDirectory } from "../network/coordinator/postgres-directory.ts";
import type { SecretBox } from "../platform/auth/secret-box.ts";
import type { Settings } from "../platform/config/settings.ts";
import { DatabaseConnections } from "../platform/db/connections.ts";
import { DatabaseClock, selectTimeMs } from "../platform/db/database-clock.ts";
import { connectionOptions, type Database, openDatabase } from "../platform/db/database.ts";
import { HeartbeatConnection } from "../platform/db/heartbeat-connection.ts";
import { migrate } from "../platform/db/migrate.ts";
import { waitForDatabase } from "../platform/db/wait-for-database.ts";
import type { Platform } from "../platform/platform.ts";
import { PostgresPubSub } from "../platform/pubsub/postgres-pubsub.ts";
import type { LocalHints } from "../platform/pubsub/pubsub.ts";
import { openUnfinished } from "./connection-limits.ts";
import { type DataDirectory, openDataDirectory } from "./data-directory.ts";
import { tryAddress } from "./listen.ts";
import { type Clusters, openClusters } from "./open-clusters.ts";
import { type Docker, openDocker } from "./open-docker.ts";
import { openSecrets } from "./open-secrets.ts";
import { openTerraform } from "./open-terraform.ts";
import { type Downloads, type InstalledArchives, openDownloads } from "./wire-downloads.ts";
import { createExternalAuth } from "./wire-external-auth.ts";
import { openRelay } from "./wire-relay.ts";

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

/** The progress of a start or close, for its observers. */
export interface Progress {
  hasStarted: boolean;
  /** The thing that a close in progress waits for, in words. */
  waitsFor: string;
}

/** All parts of a server before it listens. */
export interface ServerParts extends Deployment {
  readonly notes: AuditNotes;
  readonly monitor: ConnectionMonitor;
  readonly peers: PostgresDirectory;
  readonly coordinator: Coordinator;
  readonly metadata: MetadataBatcher;
  readonly processDriver: ProcessDriver;
  /** Undefined if it is off. */
  readonly docker: Docker | undefined;
  /** Undefined if it is off. */
  readonly clusters: Clusters | undefined;
  readonly drivers: ReadonlyMap<string, Driver>;
  readonly downloads: Downloads;
  readonly metrics: Metrics;
  readonly unfinished: UnfinishedBytes;
  readonly relay: Relay;
  readonly externalAuth: ExternalAuthNeeds;
}

/** The data of a deployment: the directory, the database, and the keys of its secrets. */
interface Deployment {
  readonly settings: Settings;
  readonly directory: DataDirectory;
  /** Undefined for a configured database. */
  readonly postgres: EmbeddedPostgres | undefined;
  readonly connections: DatabaseConnections;
  readonly platform: Platform;
  readonly heartbeats: HeartbeatConnection;
  readonly localHints: LocalHints;
  readonly secrets: SecretBox;
}

/** The time that the database may be silent once a start is canceled, in milliseconds. */
const canceledStartMs = 1_000;

/**
 * Opens all parts of a server, from the data directory up, and hands them to `opened`. Throws `StartError`,
 * `DatabaseError` or `EmbeddedPostgresError`.
 */
export async function openParts(
  options: ServerOptions,
  opened: AsyncDisposableStack,
  progress: Progress,
): Promise<ServerParts> {
  const deployment = await openDeployment(options, opened, progress);
  const { settings, directory, platform, heartbeats, secrets } = deployment;
  const { clock, logger } = platform;
  opened.defer(() => void (progress.waitsFor = "the database"));
  const notes = opened.use(new AuditNotes(platform));
  const heartbeat = opened.use(new GatheredHeartbeat(heartbeats, clock, logger));
  const sessionNeeds = { ...platform, heartbeat };
  const monitor = opened.use(new ConnectionMonitor(sessionNeeds, directory.replicaId));
  const peers = await PostgresDirectory.open({ ...platform, heartbeats });
  const coordinator = opened.use(new Coordinator({ directory: peers, clock, logger }));
  const metadata = opened.use(new MetadataBatcher(platform));
  const processDriver = createProcessDriver(options, directory, clock);
  const downloadParts = { dataDir: directory.path, archives: options.archives, clock, logger };
  const downloads = opened.use(await openDownloads(settings, downloadParts));
  const { replicaId } = directory;
  const docker = openDocker(settings, { store: downloads.store, replicaId, clock, logger });
  const clusters = await openClusters(settings, { store: downloads.store, ...platform });
  if (clusters !== undefined) opened.use(clusters);
  const drivers = [
    processDriver,
    ...(docker === undefined ? [] : [docker.driver]),
    ...(clusters?.drivers ?? []),
    new ExternalDriver(),
    openTerraform(settings, { dataDir: directory.path, scripts: downloads.scripts, clock }),
    ...(options.drivers ?? []),
  ];
  const metrics = createMetrics();
  const { registry } = metrics;
  addCoordinatorMetrics(registry, () => coordinator.counters);
  addPoolMetrics(registry, { ...platform, limits: defaultReconciler });
  const unfinished = openUnfinished(settings.limits);
  const relayParts = { ...platform, coordinator, secrets, unfinished, registry };
  return {
    ...deployment,
    notes,
    monitor,
    peers,
    coordinator,
    metadata,
    processDriver,
    docker,
    clusters,
    drivers: new Map(drivers.map((one) => [one.name, refuseAborted(one)])),
    downloads,
    metrics,
    unfinished,
    relay: opened.use(await openRelay(settings, relayParts)),
    externalAuth: createExternalAuth(settings, platform, { secrets, registry }),
  };
}

async function openDeployment(
  { settings, logger, clock: machine = systemClock, signal, beforeListening }: ServerOptions,
  opened: AsyncDisposableStack,
  progress: Progress,
): Promise<Deployment> {
  const directory = opened.use(await openDataDirectory(settings.dataDir));
  const { replicaId } = directory;
  await tryAddress(settings.listen);
  const postgres = await openPostgres(settings, directory.path, { logger, clock: machine, signal });
  const connections = new DatabaseConnections({ clock: machine, logger });
  opened.defer(() => postgres?.close({ isHanging: connections.isAbandoned }));
  const address = postgres?.connection ?? { url: settings.postgresUrl ?? "" };
  opened.use(connections);
  // Heartbeats have one of them.
  const pool = { max: settings.limits.maxDatabaseConnections - 1, connections };
  const db = opened.adopt(openDatabase(address, logger, pool), (one) => one.destroy());
  const heartbeats = opened.use(new HeartbeatConnection({ db, address, logger, connections }));
  // A canceled start goes on to the next point where it can end. It has nothing to record.
  void whenAborted(signal).then(() => {
    if (!progress.hasStarted) connections.limitSilence(canceledStartMs);
  });
  await waitForDatabase(db, { clock: machine, logger, signal });
  const applied = await migrate(db);
  if (applied.length > 0) logger.info({ migrations: applied }, "database migrated");
  const readTimeMs = (): Promise<number> => selectTimeMs(db);
  const clock = opened.use(await DatabaseClock.open({ readTimeMs, machine, logger }));
  const secrets = await openSecrets(db, settings, directory);
  await beforeListening?.(db);
  const connection = connectionOptions(address);
  const pubsub = opened.use(new PostgresPubSub({ db, connection, replicaId, clock, logger }));
  const platform = { db, pubsub, clock, logger };
  return {
    settings,
    directory,
    postgres,
    connections,
    platform,
    heartbeats,
    localHints: pubsub,
    secrets,
  };
}

async function openPostgres(
  settings: Settings,
  dataDir: string,
  options: { readonly logger: Logger; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<EmbeddedPostgres | undefined> {
  return settings.postgresUrl === undefined
    ? openEmbeddedPostgres({ ...options, dataDir })
    : undefined;
}

function createProcessDriver(
  { settings, agentCommand, workspacePrograms = {}, logger }: ServerOptions,
  { path }: DataDirectory,
  clock: Clock,
): ProcessDriver {
  return new ProcessDriver({
    workspacesDir: `${path}/workspaces`,
    runtimeDir: `${path}/runtime`,
    users: process.getuid?.() === 0 ? settings.processDriver.uids : undefined,
    agentCommand,
    programs: workspacePrograms,
    isEnabled: settings.processDriver.isEnabled,
    logger,
    clock,
  });
}
