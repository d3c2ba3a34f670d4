import { randomBytes } from "node:crypto";

import { silentLogger } from "@slipway/runtime";
import { type Database, openDatabase } from "@slipway/server";
import pg from "pg";

declare module "vitest" {
  interface ProvidedContext {
    /** The URL of this run's PostgreSQL; each test file creates its own databases in it. */
    readonly postgresUrl: string;
  }
}

/** A migrated database that tests copy. */
export const templateDatabase = "slipway_template";

/** A separate migrated, empty database; disposing of it drops it. */
export interface TestDatabase extends AsyncDisposable {
  readonly db: Database;
  readonly url: string;
}

/** Creates a database in the run's PostgreSQL, whose URL is the setup's `inject("postgresUrl")`. */
export async function openTestDatabase(postgresUrl: string): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString("hex")}`;
  const postgres = postgresAt(postgresUrl);
  await copyTemplate(postgres, name);
  const url = urlOf(postgresUrl, name);
  const db = openDatabase({ url }, silentLogger);
  return {
    db,
    url,
    [Symbol.asyncDispose]: async () => {
      await db.destroy();
      await postgres.query(`drop database ${name} with (force)`);
    },
  };
}

const pools = new Map<string, pg.Pool>();

/** Returns the connection that creates and drops databases, which does not keep the process alive. */
function postgresAt(url: string): pg.Pool {
  const found = pools.get(url);
  if (found !== undefined) return found;
  const pool = new pg.Pool({
    connectionString: url,
    max: 1,
    idleTimeoutMillis: 0,
    allowExitOnIdle: true,
  });
  // The pool replaces a connection that breaks, as when a test's own server ends.
  pool.on("error", () => undefined);
  pools.set(url, pool);
  return pool;
}

/**
 * Copies the template file by file where nothing is synced to disk: the copy begins with checkpoints, which would
 * wait for the sync. The alternative, through the log, writes every page twice.
 */
async function copyTemplate(postgres: pg.Pool, name: string): Promise<void> {
  const { rows } = await postgres.query<{ readonly fsync: string }>("show fsync");
  const strategy = rows[0]?.fsync === "off" ? "strategy file_copy" : "";
  await postgres.query(`create database ${name} template ${templateDatabase} ${strategy}`);
}

/** Returns the URL of another database on the same server. */
export function urlOf(postgresUrl: string, database: string): string {
  return postgresUrl.replace(/\/[^/?]*(\?|$)/, `/${database}$1`);
}

/** Opens a separate connection for the duration of `use`. */
export async function withClient(
  url: string,
  use: (client: pg.Client) => Promise<void>,
): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await use(client);
  } finally {
    await client.end();
  }
}
