import { sql } from "kysely";

import type { Queryable } from "./database.ts";

/** Returns the time of the database's clock at this statement, in milliseconds since the Unix epoch. */
export async function selectTimeMs(db: Queryable): Promise<number> {
  const { rows } = await sql<{
    readonly ms: string;
  }>`select extract(epoch from clock_timestamp()) * 1000 as ms`.execute(db);
  return Number(rows[0]?.ms);
}
