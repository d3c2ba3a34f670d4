import { socketUrl } from "@slipway/testkit";
import pg from "pg";

import { openEmbeddedDatabase } from "./embedded-database.ts";
import { openDirectory } from "./our-server.ts";
import { readTreeCpuSeconds } from "./process-cost.ts";

/** The embedded database, set up to count its statements and to record the time of each commit. */
export interface MeasuredPostgres {
  /** The address for a server, as SLIPWAY_POSTGRES_URL. */
  readonly url: string;
  /** The process whose children are all others of the database. */
  readonly pid: number;
  /** Returns the processor time of all its processes so far, in seconds. */
  readonly cpuSeconds: () => number;
  /** Opens a separate connection, which closes with the database. */
  readonly connect: () => Promise<pg.Client>;
  readonly query: <Row extends pg.QueryResultRow>(
    text: string,
    values?: readonly unknown[],
  ) => Promise<readonly Row[]>;
  /** Starts to count statements, including BEGIN and COMMIT but not those of `query`. */
  readonly countStatements: () => Promise<StatementCount>;
}

export interface StatementCount {
  /** Returns the number received so far. */
  readonly read: () => Promise<number>;
  /** Returns how often each text was received so far, the most frequent first. */
  readonly list: () => Promise<readonly StatementCalls[]>;
}

export interface StatementCalls {
  readonly text: string;
  readonly calls: number;
  /** The time that the database took for all of them, in milliseconds. */
  readonly ms: number;
}

const settings = {
  shared_preload_libraries: "pg_stat_statements",
  track_commit_timestamp: "on",
} as const;

/** A mark for statements that do not count. */
const mark = "/* measuring */";

/** Starts the database; it stops with `opened`. */
export async function openMeasuredPostgres(
  opened: AsyncDisposableStack,
): Promise<MeasuredPostgres> {
  const dataDir = await openDirectory(opened);
  await prepare(dataDir);
  const { connection, pid, connect } = await openEmbeddedDatabase(opened, dataDir);
  const own = await connect();
  const query: MeasuredPostgres["query"] = async (text, values = []) => {
    const { rows } = await own.query({ text: `${mark} ${text}`, values: [...values] });
    return rows;
  };
  const list = (): Promise<readonly StatementCalls[]> =>
    query<StatementCalls & pg.QueryResultRow>(
      `select query as text, sum(calls)::int as calls, sum(total_exec_time) as ms
        from pg_stat_statements where query not like $1 group by query`,
      [`%${mark}%`],
    );
  return {
    url: socketUrl(connection),
    pid,
    cpuSeconds: () => readTreeCpuSeconds(pid),
    connect,
    query,
    countStatements: async () => {
      const before = new Map((await list()).map((row) => [row.text, row]));
      const since = async (): Promise<readonly StatementCalls[]> =>
        (await list())
          .map(({ text, calls, ms }) => ({
            text,
            calls: calls - (before.get(text)?.calls ?? 0),
            ms: ms - (before.get(text)?.ms ?? 0),
          }))
          .filter(({ calls }) => calls > 0)
          .toSorted((one, other) => other.calls - one.calls);
      return {
        read: async () => (await since()).reduce((sum, { calls }) => sum + calls, 0),
        list: since,
      };
    },
  };
}

/** Writes settings that take effect at the database's start. */
async function prepare(dataDir: string): Promise<void> {
  await using opened = new AsyncDisposableStack();
  const client = await (await openEmbeddedDatabase(opened, dataDir)).connect();
  for (const [name, value] of Object.entries(settings)) {
    await client.query(`alter system set ${name} = ${pg.escapeLiteral(value)}`);
  }
  await client.query("create extension pg_stat_statements");
}
