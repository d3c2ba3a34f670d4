import { errorText } from "@slipway/runtime";
import pg from "pg";

import { EmbeddedPostgresError } from "./errors.ts";
import { adminUser, databaseName, socketPort } from "./settings.ts";

/** The address of the database: fields for a connection of `pg`. There is no password: the socket is private. */
export interface EmbeddedConnection {
  /** The directory of the socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly password?: undefined;
}

export function connectionAt(
  socketDirectory: string,
  port: number = socketPort,
): EmbeddedConnection {
  return { host: socketDirectory, port, user: adminUser, database: databaseName };
}

const connectTimeoutMs = 10_000;

/**
 * Connects once, which proves that the server is up, and creates the database if it is missing. Throws `start-failed`.
 */
export async function ensureDatabase(connection: EmbeddedConnection): Promise<void> {
  try {
    await createIfMissing(connection);
  } catch (error) {
    throw new EmbeddedPostgresError(
      "start-failed",
      `PostgreSQL does not serve on its socket in ${connection.host}: ${errorText(error)}`,
      { cause: error },
    );
  }
}

async function createIfMissing(connection: EmbeddedConnection): Promise<void> {
  // Asking there, rather than failing on the missing database, keeps errors out of the server's log.
  await withClient({ ...connection, database: "postgres" }, async (client) => {
    const { rowCount } = await client.query("select from pg_database where datname = $1", [
      connection.database,
    ]);
    if (rowCount !== 0) return;
    await client.query(`create database ${pg.escapeIdentifier(connection.database)}`);
  });
}

async function withClient(
  connection: EmbeddedConnection,
  use: (client: pg.Client) => Promise<void>,
): Promise<void> {
  // `ssl` would otherwise follow PGSSLMODE.
  const client = new pg.Client({
    ...connection,
    ssl: false,
    connectionTimeoutMillis: connectTimeoutMs,
  });
  // Without a listener a broken connection ends the process; the pending query rejects anyway.
  client.on("error", () => undefined);
  try {
    await client.connect();
    await use(client);
  } finally {
    await client.end();
  }
}
