import type { PostgresPool, PostgresPoolClient } from "kysely";
import type { Pool, PoolClient } from "pg";

/**
 * The maximum number of prepared texts; others are sent unnamed, so that lists of varying length do not fill the
 * server's memory.
 */
const maxStatements = 1000;

/** The part of a pool used here. */
export interface ConnectionPool extends Pick<Pool, "options" | "end"> {
  connect(): Promise<Connection>;
}

type Connection = Pick<PoolClient, "release"> & {
  query(statement: {
    readonly text: string;
    readonly values: readonly unknown[];
    readonly name?: string;
  }): unknown;
};

/**
 * Adapts a pool for Kysely, with every statement prepared under a name: PostgreSQL parses and plans a text once per
 * connection. Names derive from the text, so they mean the same on each connection.
 */
export function preparedPool(pool: ConnectionPool): PostgresPool {
  const names = new Map<string, string>();
  const nameOf = (text: string): string | undefined => {
    const known = names.get(text);
    if (known !== undefined || names.size >= maxStatements) return known;
    const name = `s${names.size + 1}`;
    names.set(text, name);
    return name;
  };
  return {
    options: pool.options,
    connect: async () => preparedClient(await pool.connect(), nameOf),
    end: () => pool.end(),
  };
}

function preparedClient(
  client: Connection,
  nameOf: (text: string) => string | undefined,
): PostgresPoolClient {
  const query = (text: unknown, values?: readonly unknown[]): unknown => {
    if (typeof text !== "string") throw new TypeError("cursors are not supported by this pool");
    const name = values === undefined || values.length === 0 ? undefined : nameOf(text);
    return client.query({
      text,
      values: [...(values ?? [])],
      ...(name === undefined ? {} : { name }),
    });
  };
  return {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the overload for cursors throws above
    query: query as PostgresPoolClient["query"],
    release: () => client.release(),
  };
}
