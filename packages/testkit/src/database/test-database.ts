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
  await copyTemplate(postgresUrl, name);
  const url = urlOf(postgresUrl, name);
  const db = openDatabase({ url }, silentLogger);
  return {
    db,
    url,
    [Symbol.asyncDispose]: async () => {
      await db.destroy();
      await runOn(postgresUrl, `drop database ${name} with (force)`);
    },
  };
}

/**
 * Copies the template file by file where nothing is synced to disk: the copy begins with checkpoints, which would
 * wait for the sync. The alternative, through the log, writes every page twice.
 */
async function copyTemplate(url: string, name: string): Promise<void> {
  await withClient(url, async (client) => {
    const { rows } = await client.query<{ readonly fsync: string }>("show fsync");
    const strategy = rows[0]?.fsync === "off" ? "strategy file_copy" : "";
    await client.query(`create database ${name} template ${templateDatabase} ${strategy}`);
  });
}

/** Returns the URL of another database on the same server. */
export function urlOf(postgresUrl: string, database: string): string {
  return postgresUrl.replace(/\/[^/?]*(\?|$)/, `/${database}$1`);
}

function runOn(url: string, statement: string): Promise<void> {
  return withClient(url, async (client) => void (await client.query(statement)));
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
