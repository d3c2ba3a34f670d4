import { sql } from "kysely";
import { vi } from "vitest";

import type { Database } from "../../src/platform/db/database.ts";

/** Counts the rows of each table: the counts stay the same if nothing changed. */
export async function countRows(db: Database): Promise<Readonly<Record<string, number>>> {
  // Counts through XML, the only way to run a text as a query inside another.
  const { rows } = await sql<{ readonly name: string; readonly count: number }>`
    select table_name as name,
      (xpath('/row/count/text()', query_to_xml(
        format('select count(*) from %I', table_name), false, true, '')))[1]::text::int as count
    from information_schema.tables
    where table_schema = current_schema() and table_type = 'BASE TABLE'`.execute(db);
  return Object.fromEntries(rows.map(({ name, count }) => [name, count]));
}

/** Counts rows once no job is in progress: a job's late writes do not come from later requests. */
export async function countSettledRows(db: Database): Promise<Readonly<Record<string, number>>> {
  const isSettled = async (): Promise<boolean> => {
    const unended = db.selectFrom("jobs").select("id").where("completed_at", "is", null);
    return (await unended.execute()).length === 0;
  };
  await vi.waitUntil(isSettled, { timeout: 30_000, interval: 20 });
  return countRows(db);
}
