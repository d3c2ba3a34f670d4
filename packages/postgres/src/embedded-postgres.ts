import { realpath } from "node:fs/promises";
import { resolve } from "node:path";

import { type Clock, errorText, type Logger, Scope } from "@slipway/runtime";
import { makeDirectories } from "@slipway/runtime/make-directories";
import { type Account, chownTree } from "@slipway/runtime/ownership";

import { allowAccess, chooseAccount } from "./account.ts";
import { findBinaries } from "./binaries.ts";
import type { Binaries } from "./binaries.ts";
import { clusterDirectoryOf, createCluster, requireVersion, syncCluster } from "./cluster.ts";
import { connectionAt, ensureDatabase } from "./connection.ts";
import type { EmbeddedConnection } from "./connection.ts";
import { findPostmaster } from "./find-postmaster.ts";
import type { PostgresExit, Postmaster } from "./postmaster.ts";
import { abandonPostmaster, stopPostmaster } from "./postmaster.ts";
import { installRuntime } from "./runtime-copy.ts";
import {
  chooseSocketDirectory,
  removeSocketDirectory,
  removeSocketLock,
} from "./socket-directory.ts";
import { startPostmaster } from "./start-postmaster.ts";

export interface EmbeddedPostgresOptions {
  /**
   * The parent of `runtime/`, `postgres-<major>/` and `postgres.log`. The caller holds it exclusively, by its own
   * lock, for as long as the database is open.
   */
  readonly dataDir: string;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Cancels the opening. An open database is closed by `close`. */
  readonly signal: AbortSignal;
  /** True to sync nothing to disk (default: false): a crash of the machine loses the database. For tests. */
  readonly isThrowaway?: boolean;
}

/**
 * An embedded PostgreSQL server, owned by the opener. When the process dies without closing it, the server keeps
 * running and the next opening adopts it.
 */
export interface EmbeddedPostgres extends AsyncDisposable {
  readonly connection: EmbeddedConnection;
  readonly pid: number;
  /** True if the server was already running. */
  readonly adopted: boolean;
  /** Resolves when the server ends, by `close` or by itself. The caller decides how to respond. */
  readonly exited: Promise<PostgresExit>;
  /**
   * Stops the server and waits for its end, 15 s at most before it is killed; 5 s if it is known to hang. Idempotent.
   */
  close(options?: { readonly isHanging: boolean }): Promise<void>;
}

/**
 * Opens the database in a data directory: creates it the first time, and adopts a running server or starts one. Throws
 * `EmbeddedPostgresError`, or the signal's reason.
 */
export async function openEmbeddedPostgres(
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  options.signal.throwIfAborted();
  const setup = await prepareCluster(options.dataDir);
  if (setup.isNewOwner) await changeOwner(setup, options);
  return (await adopt(setup, options)) ?? (await start(setup, options));
}

/** The paths, the binaries, and the account of the server (undefined for our own). */
interface ClusterSetup {
  readonly dataDirectory: string;
  readonly clusterDirectory: string;
  readonly binaries: Binaries;
  readonly account: Account | undefined;
  /** True if the database still belongs to another account. */
  readonly isNewOwner: boolean;
}

async function prepareCluster(dataDir: string): Promise<ClusterSetup> {
  const binaries = await findBinaries();
  await makeDirectories(resolve(dataDir), process.getuid?.() === 0 ? 0o711 : 0o700);
  const dataDirectory = await realpath(resolve(dataDir));
  await requireVersion(dataDirectory, binaries);
  const clusterDirectory = clusterDirectoryOf(dataDirectory, binaries.majorVersion);
  const { account, isNewOwner } = await chooseAccount(clusterDirectory);
  if (account !== undefined) await allowAccess(account, dataDirectory);
  return { dataDirectory, clusterDirectory, binaries, account, isNewOwner };
}

/** Stops a server that runs as the database's former owner, and gives the database to the current account. */
async function changeOwner(
  { clusterDirectory, account }: ClusterSetup,
  { clock, logger, signal }: EmbeddedPostgresOptions,
): Promise<void> {
  if (account === undefined) return;
  await using scope = new Scope();
  const found = await findPostmaster(clusterDirectory, clock, signal, scope.signal);
  if (found !== undefined) await stopPostmaster(found.postmaster, clock);
  await chownTree(clusterDirectory, account);
  logger.info({ uid: account.uid }, "transferred the embedded database to its own system user");
}

async function adopt(
  { clusterDirectory }: ClusterSetup,
  { clock, logger, signal }: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres | undefined> {
  const scope = new Scope();
  try {
    const found = await findPostmaster(clusterDirectory, clock, signal, scope.signal);
    if (found === undefined) return undefined;
    const { postmaster, file } = found;
    const connection = connectionAt(file.socketDirectory, file.port);
    await ensureDatabase(connection);
    logger.info({ pid: postmaster.pid }, "adopted the running embedded PostgreSQL");
    return new RunningPostgres({ postmaster, connection, adopted: true, scope, clock });
  } catch (error) {
    await scope.close();
    throw error;
  }
}

async function start(
  setup: ClusterSetup,
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  const { clusterDirectory, account } = setup;
  const { clock, logger, signal, isThrowaway = false } = options;
  const runtime = await installRuntime(setup.dataDirectory, setup.binaries);
  const isNew = await createCluster(runtime.initdb, clusterDirectory, account, signal);
  const socketDirectory = await chooseSocketDirectory(clusterDirectory, account);
  try {
    await removeSocketLock(socketDirectory);
    const { postgres } = runtime;
    const launch = { postgres, clusterDirectory, socketDirectory, account, isThrowaway };
    const postmaster = await startPostmaster(launch, setup.dataDirectory, clock, signal);
    const connection = connectionAt(socketDirectory);
    await serveOrAbandon(postmaster, connection, clock);
    const scope = new Scope();
    if ((isNew || runtime.isNew) && !isThrowaway) {
      scope.run(async (stopped) =>
        syncInBackground(runtime.initdb, clusterDirectory, account, logger, stopped),
      );
    }
    logger.debug({ pid: postmaster.pid, isNew }, "started the embedded PostgreSQL");
    return new RunningPostgres({ postmaster, connection, adopted: false, scope, clock });
  } catch (error) {
    await removeSocketDirectory(socketDirectory);
    throw error;
  }
}

async function serveOrAbandon(
  postmaster: Postmaster,
  connection: EmbeddedConnection,
  clock: Clock,
): Promise<void> {
  try {
    await ensureDatabase(connection);
  } catch (error) {
    await abandonPostmaster(postmaster, clock);
    throw error;
  }
}

async function syncInBackground(
  initdb: string,
  clusterDirectory: string,
  account: Account | undefined,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  try {
    await syncCluster(initdb, clusterDirectory, account, signal);
  } catch (error) {
    signal.throwIfAborted();
    logger.warn(
      { error: errorText(error) },
      "cannot sync the new embedded database to disk: a power failure may lose it",
    );
  }
}

interface RunningPostgresOptions {
  readonly postmaster: Postmaster;
  readonly connection: EmbeddedConnection;
  readonly adopted: boolean;
  /** Background work: the first sync, the watch over an adopted server. */
  readonly scope: Scope;
  readonly clock: Clock;
}

class RunningPostgres implements EmbeddedPostgres {
  readonly #running: RunningPostgresOptions;
  #closing: Promise<void> | undefined;

  constructor(running: RunningPostgresOptions) {
    this.#running = running;
  }

  get connection(): EmbeddedConnection {
    return this.#running.connection;
  }

  get pid(): number {
    return this.#running.postmaster.pid;
  }

  get adopted(): boolean {
    return this.#running.adopted;
  }

  get exited(): Promise<PostgresExit> {
    return this.#running.postmaster.exited;
  }

  async close({ isHanging } = { isHanging: false }): Promise<void> {
    this.#closing ??= this.#close(isHanging);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(isHanging: boolean): Promise<void> {
    const { postmaster, clock, scope, connection } = this.#running;
    await (isHanging ? abandonPostmaster : stopPostmaster)(postmaster, clock);
    await scope.close();
    await removeSocketDirectory(connection.host);
  }
}
