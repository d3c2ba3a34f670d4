import { once } from "node:events";
import { Socket } from "node:net";

import { type Clock, type Logger, Scope, settlesWithin } from "@slipway/runtime";
import type { Pool } from "pg";

/** The time without an answer after which a server that ends gives up waiting for its database. */
const maxSilenceMs = 8_000;
const lookEveryMs = 500;
/** The time for connections to close after their last statement. */
const farewellMs = 1_000;

interface ConnectionsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * The connections of a server to PostgreSQL, which may hang: then nothing arrives, not even the end of a connection.
 * The opener disposes of it after the pools on it, which cuts the connections that are still open.
 */
export class DatabaseConnections implements AsyncDisposable {
  readonly #options: ConnectionsOptions;
  readonly #sockets = new Set<Socket>();
  readonly #pools: Pool[] = [];
  readonly #watch = new Scope();
  #isWatched = false;
  #isAbandoned = false;
  /** The bytes received on connections that have closed. */
  #pastBytes = 0;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  /** True once PostgreSQL has not answered in time: every statement fails from then on. */
  get isAbandoned(): boolean {
    return this.#isAbandoned;
  }

  /** The number of statements and transactions that have a connection or wait for one. */
  get statements(): number {
    return this.#pools.reduce((sum, pool) => sum + waitingOn(pool), 0);
  }

  /** Makes the socket of a connection, for the option `stream` of pg. */
  openSocket(): Socket {
    const socket = new Socket();
    this.#sockets.add(socket);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      this.#pastBytes += socket.bytesRead;
    });
    // pg connects and listens first.
    if (this.#isAbandoned) process.nextTick(() => socket.destroy(noAnswer()));
    return socket;
  }

  /** Adds a pool, so that its statements are waited for. */
  add(pool: Pool): void {
    this.#pools.push(pool);
  }

  /**
   * Prepares for the server's end: from now on a statement fails once PostgreSQL has been silent for `maxMs`. Only the
   * first call counts.
   */
  limitSilence(maxMs = maxSilenceMs): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    this.#watch.run((signal) => this.#abandonWhenSilent(maxMs, signal));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watch.close();
    const closed = Promise.all([...this.#sockets].map((socket) => once(socket, "close")));
    if (!(await settlesWithin(closed, farewellMs, this.#options.clock))) this.#cut();
  }

  async #abandonWhenSilent(maxMs: number, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    let [heardAtMs, bytes] = [clock.monotonic(), this.#receivedBytes()];
    for (;;) {
      await clock.sleep(lookEveryMs, signal);
      const { statements } = this;
      const now = [clock.monotonic(), this.#receivedBytes()] as const;
      if (statements === 0 || now[1] !== bytes) [heardAtMs, bytes] = now;
      if (now[0] - heardAtMs < maxMs) continue;
      logger.warn(
        { statements, silentMs: Math.round(now[0] - heardAtMs) },
        "database does not answer; stopping without the final writes",
      );
      this.#isAbandoned = true;
      this.#cut();
      return;
    }
  }

  #receivedBytes(): number {
    return [...this.#sockets].reduce((sum, { bytesRead }) => sum + bytesRead, this.#pastBytes);
  }

  #cut(): void {
    for (const socket of this.#sockets) socket.destroy(noAnswer());
  }
}

function waitingOn({ totalCount, idleCount, waitingCount }: Pool): number {
  return totalCount - idleCount + waitingCount;
}

/** Returns the error of an outage, in the words of pg (`isOutage`). */
function noAnswer(): Error {
  return new Error("Connection terminated: the database did not answer");
}
