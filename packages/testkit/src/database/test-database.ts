import { randomBytes } from "node:crypto";

import { silentLogger } from "@slipway/runtime";
import { type Database, openDatabase } from "@slipway/server";
import pg from "pg";

declare module "vitest" {
  interface ProvidedContext {
    /** The URL of the PostgreSQL of this run; each test file makes databases of its own in it. */
    readonly postgresUrl: string;
  }
}

/** A migrated database to copy. */
export const templateDatabase = "slipway_template";

/** A migrated, empty database of its own; disposing of it drops it. */
export interface TestDatabase extends AsyncDisposable {
  readonly db: Database;
  readonly url: string;
}

/** Makes a database in the PostgreSQL of the run, whose URL is the setup's `inject("postgresUrl")`. */
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
 * Copies the template by its files where nothing is synced to disk: that begins with checkpoints, which would wait for it.
 * The other way, by the log, writes every page twice.
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

/** Lends a connection of its own to `use`. */
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
