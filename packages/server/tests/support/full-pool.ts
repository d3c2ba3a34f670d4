import { sql } from "kysely";

import type { Database } from "../../src/platform/db/database.ts";
import { holdOpen } from "./lock-waits.ts";

/** Occupies all connections of a pool, by transactions that stay open, until the result is disposed of. */
export async function fillPool(db: Database, connections: number): Promise<AsyncDisposable> {
  await using filling = new AsyncDisposableStack();
  const opening = Array.from({ length: connections }, () =>
    holdOpen(db, (trx) => sql`select 1`.execute(trx)),
  );
  for (const one of await Promise.all(opening)) filling.use(one);
  return filling.move();
}
