import { type Logger, systemClock } from "@slipway/runtime";
import { Kysely, PostgresDialect, type Transaction } from "kysely";
import pg from "pg";
import { parseIntoClientConfig } from "pg-connection-string";

import { defaultLimits } from "../config/limits.ts";
import type { DatabaseConnections } from "./connections.ts";
import { fewConnections } from "./few-connections.ts";
import type { DB } from "./gen/schema.ts";
import { type ConnectionPool, preparedPool, type TransactionWords } from "./prepared-pool.ts";
import { readTimestamp } from "./timestamp.ts";

export type Database = Kysely<DB>;
/** The target of a query: the pool or a transaction. */
export type Queryable = Kysely<DB> | Transaction<DB>;

/** The address of a PostgreSQL server: a URL, or the socket directory of the embedded one. */
export type DatabaseAddress =
  | { readonly url: string }
  | {
      readonly host: string;
      readonly port: number;
      readonly user: string;
      readonly database: string;
    };

interface PoolOptions {
  /** The maximum number of connections. */
  readonly max?: number;
  /** The set through which the connections can be cut. */
  readonly connections?: DatabaseConnections;
  /** The time after which a statement that waits for a lock fails (default: as the server is set). */
  readonly lockTimeoutMs?: number;
}

/**
 * Minutes, because each connection parses and plans a statement at its first use, which takes longer than running it.
 */
const idleTimeoutMs = 300_000;
const connectTimeoutMs = 10_000;
/** The time within which connections are taken to break for the same reason. */
const sameLossMs = 5_000;

const oid = { int8: 20, timestamptz: 1184 } as const;

const parsers = new Map<number, (text: string) => unknown>([
  // Our ids, lengths and counts stay below 2^53.
  [oid.int8, Number],
  [oid.timestamptz, readTimestamp],
]);

/**
 * Settings of every connection. Times are UTC. Statements are planned once, for any values, and not compiled: by
 * default PostgreSQL plans each one again at its first five uses on a connection, and for as long as it expects to gain
 * by that, which takes longer than the rest of a claim. Values that let an index be used are therefore literals in a
 * statement, not parameters: `sql.lit(false)`.
 */
const sessionSettings = "-c timezone=UTC -c plan_cache_mode=force_generic_plan -c jit=off";

/** Returns the options of every connection, with our own type parsers. */
export function connectionOptions(
  address: DatabaseAddress,
  { lockTimeoutMs }: Pick<PoolOptions, "lockTimeoutMs"> = {},
): pg.ClientConfig {
  const lockTimeout = lockTimeoutMs === undefined ? "" : ` -c lock_timeout=${lockTimeoutMs}`;
  return {
    ...placeOf(address, sessionSettings + lockTimeout),
    application_name: "slipway",
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    types: {
      getTypeParser: ((id: number, format?: "text" | "binary") =>
        parsers.get(id) ??
        // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- ids outside the enumeration occur too
        pg.types.getTypeParser(id, format)) as typeof pg.types.getTypeParser,
    },
  };
}

/** Returns the connection's address and settings: a URL may add more settings. */
function placeOf(address: DatabaseAddress, settings: string): pg.ClientConfig {
  if (!("url" in address)) return { ...address, options: settings };
  const place = parseIntoClientConfig(address.url);
  return { ...place, options: [place.options, settings].join(" ").trim() };
}

/**
 * Opens a pool, which connects at the first query. The caller closes it with `destroy`, and then `connections`, which
 * can be cut.
 */
export function openDatabase(
  address: DatabaseAddress,
  logger: Logger,
  { max = defaultLimits.maxDatabaseConnections, connections, ...waiting }: PoolOptions = {},
): Database {
  const pool = new pg.Pool({
    ...connectionOptions(address, waiting),
    ...(connections === undefined ? {} : { stream: () => connections.openSocket() }),
    max,
    idleTimeoutMillis: idleTimeoutMs,
  });
  // An idle connection that breaks (a restart of PostgreSQL) is replaced; without a listener it would end the process.
  let warnedAtMs = Number.NEGATIVE_INFINITY;
  pool.on("error", ({ message: error }) => {
    if (pool.ending || connections?.isAbandoned === true) return;
    // All break at the same moment: only the first is a warning.
    const isNews = performance.now() - warnedAtMs > sameLossMs;
    if (isNews) warnedAtMs = performance.now();
    logger[isNews ? "warn" : "debug"]({ error }, "idle database connection lost");
  });
  ignoreErrorsInUse(pool);
  connections?.add(pool);
  return databaseOn(fewConnections(pool, { clock: systemClock }));
}

/**
 * Ignores the errors of connections in use or closing: they fail a query as well, if there is one, but an event without a
 * listener would end the process.
 */
export function ignoreErrorsInUse(pool: pg.Pool): void {
  pool.on("connect", (client) => client.on("error", () => undefined));
}

/** Returns a database on the caller's own pool, which `destroy` closes; `words` begin and end its transactions. */
export function databaseOn(pool: ConnectionPool, words?: TransactionWords): Database {
  return new Kysely<DB>({ dialect: new PostgresDialect({ pool: preparedPool(pool, words) }) });
}
