import { setTimeout as pause } from "node:timers/promises";

import { type EmbeddedPostgres, openEmbeddedPostgres } from "@slipway/postgres";
import { silentLogger, systemClock } from "@slipway/runtime";
import { postgresTarget, postgresUrlAt, type ProxyTarget, socketUrl } from "@slipway/testkit";
import pg from "pg";

/** The way in which PostgreSQL shuts down: with a checkpoint, without one, or killed. */
export type Shutdown = "fast" | "immediate" | "kill";

const signals = { immediate: "SIGQUIT", kill: "SIGKILL" } as const;

/** The interval between retries of a query while PostgreSQL is down. */
const retryMs = 100;
const maxTries = 600;

/** A dedicated PostgreSQL that can be restarted and queried without a proxy. The opener disposes of it. */
export class PostgresHost implements AsyncDisposable {
  readonly #dataDir: string;
  #postgres: EmbeddedPostgres;

  private constructor(dataDir: string, postgres: EmbeddedPostgres) {
    this.#dataDir = dataDir;
    this.#postgres = postgres;
  }

  static async open(dataDir: string): Promise<PostgresHost> {
    return new PostgresHost(dataDir, await openPostgres(dataDir));
  }

  /** The address on which it listens. */
  get target(): ProxyTarget {
    return postgresTarget(socketUrl(this.#postgres.connection));
  }

  /** Returns the URL of its database behind a proxy. */
  urlAt(port: number): string {
    return postgresUrlAt(socketUrl(this.#postgres.connection), port);
  }

  async stop(how: Shutdown): Promise<void> {
    if (how !== "fast") {
      process.kill(this.#postgres.pid, signals[how]);
      await this.#postgres.exited;
    }
    await this.#postgres.close();
  }

  async start(): Promise<void> {
    this.#postgres = await openPostgres(this.#dataDir);
  }

  /** Resolves to rows of the caller's type. Waits while PostgreSQL is down. */
  async query<R>(text: string, values: readonly unknown[] = []): Promise<readonly R[]> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#queryOnce<R>(text, values);
      } catch (error) {
        // Class 57 means that it shuts down or starts. Any other error concerns the statement.
        const isRefusal =
          error instanceof pg.DatabaseError && error.code?.startsWith("57") !== true;
        if (isRefusal || tries === maxTries) throw error;
        await pause(retryMs);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#postgres.close();
  }

  async #queryOnce<R>(text: string, values: readonly unknown[]): Promise<readonly R[]> {
    const client = new pg.Client({ ...this.#postgres.connection, ssl: false });
    // The current query fails as well.
    client.on("error", () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query(text, [...values]);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the author of the statement knows its rows
      return rows as R[];
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

function openPostgres(dataDir: string): Promise<EmbeddedPostgres> {
  const { signal } = new AbortController();
  return openEmbeddedPostgres({ dataDir, logger: silentLogger, clock: systemClock, signal });
}
