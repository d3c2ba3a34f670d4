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
  await runOn(postgresUrl, `create database ${name} template ${templateDatabase}`);
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

/** Returns the URL of another database on the same server. */
export function urlOf(postgresUrl: string, database: string): string {
  return postgresUrl.replace(/\/[^/?]*(\?|$)/, `/${database}$1`);
}

async function runOn(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
