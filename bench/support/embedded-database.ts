import { type EmbeddedPostgres, openEmbeddedPostgres } from "@slipway/postgres";
import { silentLogger, systemClock } from "@slipway/runtime";
import pg from "pg";

/** A PostgreSQL like that of a server, without the server. */
export interface EmbeddedDatabase {
  readonly connection: EmbeddedPostgres["connection"];
  readonly pid: number;
  /** Opens a connection, which closes with the database. */
  readonly connect: () => Promise<pg.Client>;
}

/** Starts the database of a directory; it stops with `opened`. */
export async function openEmbeddedDatabase(
  opened: AsyncDisposableStack,
  dataDir: string,
): Promise<EmbeddedDatabase> {
  const { connection, pid } = opened.use(
    await openEmbeddedPostgres({
      dataDir,
      logger: silentLogger,
      clock: systemClock,
      signal: new AbortController().signal,
    }),
  );
  return {
    connection,
    pid,
    connect: async () => {
      const client = new pg.Client(connection);
      await client.connect();
      opened.defer(() => client.end());
      return client;
    },
  };
}
