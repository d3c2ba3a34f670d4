import { openTestDatabase } from "@slipway/testkit";
import { sql } from "kysely";
import { expect, inject, it } from "vitest";

import { openRollbackDatabase } from "../../src/claim-histories/rollback-database.ts";

it("survives that PostgreSQL ends its idle connection, as when the database is dropped", async () => {
  await using database = await openTestDatabase(inject("postgresUrl"));
  const { db } = await openRollbackDatabase(database.url);
  const { rows } = await sql<{ ended: boolean }>`
    select pg_terminate_backend(pid, 10_000) as ended from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and state = 'idle in transaction'`.execute(
    database.db,
  );
  expect(rows).toEqual([{ ended: true }]);
  // A new connection, since the lost one was noticed.
  await expect
    .poll(() => sql`select 1`.execute(db).then(() => "answered", String))
    .toBe("answered");
  await db.destroy();
});
