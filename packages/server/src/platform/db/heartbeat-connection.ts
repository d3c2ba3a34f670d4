import type { Logger } from "@slipway/runtime";

import type { DatabaseConnections } from "./connections.ts";
import { type Database, type DatabaseAddress, openDatabase } from "./database.ts";
import { isOutage, sqlState, sqlStateOf } from "./errors.ts";

/** The longest that a statement waits for a lock there, and that heartbeats wait for it. */
const lockTimeoutMs = 500;
/** The maximum number of tasks on the connection, with those that wait for it. */
const maxTasks = 4;

interface HeartbeatConnectionOptions {
  /** The database for tasks that the connection does not take. */
  readonly db: Database;
  readonly address: DatabaseAddress;
  readonly logger: Logger;
  readonly connections?: DatabaseConnections;
}

/**
 * A connection for heartbeats and leases, which do not wait until one of the pool is free: a server that is late with them gives up
 * its peers, sessions and jobs, whose return occupies the pool even longer. Its opener disposes of it, before `db`.
 */
export class HeartbeatConnection implements AsyncDisposable {
  readonly #db: Database;
  readonly #own: Database;
  #tasks = 0;

  constructor({ db, address, logger, ...connections }: HeartbeatConnectionOptions) {
    this.#db = db;
    this.#own = openDatabase(address, logger, { ...connections, max: 1, lockTimeoutMs });
  }

  /** Runs a task that waits for no locks, and that may run twice. */
  async beat<T>(task: (db: Database) => Promise<T>): Promise<T> {
    this.#tasks += 1;
    try {
      return await task(this.#own);
    } catch (error) {
      if (sqlStateOf(error) !== sqlState.lockNotAvailable && !isOutage(error)) throw error;
    } finally {
      this.#tasks -= 1;
    }
    return task(this.#db);
  }

  /** Runs a task that may run twice. Those that would keep others waiting, for locks or by their number, use the pool. */
  run<T>(task: (db: Database) => Promise<T>): Promise<T> {
    return this.#tasks < maxTasks ? this.beat(task) : task(this.#db);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#own.destroy();
  }
}
