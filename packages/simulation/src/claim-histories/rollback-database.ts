import type { Database } from "@slipway/server";
import { connectionOptions, databaseOn, ignoreErrorsInUse } from "@slipway/server/claims";
import pg from "pg";

/**
 * A database in one transaction that is never committed, so that time stands still in it and it leaves no trace.
 * Statements that begin, commit and roll back a transaction in it set, release and return to a savepoint. Disposing
 * of it rolls everything back.
 */
export interface RollbackDatabase extends AsyncDisposable {
  readonly db: Database;
}

export async function openRollbackDatabase(url: string): Promise<RollbackDatabase> {
  const pool = new pg.Pool({ ...connectionOptions({ url }), max: 1, idleTimeoutMillis: 0 });
  // The database may be dropped before it has noticed that the connection ends.
  ignoreErrorsInUse(pool);
  pool.on("error", () => undefined);
  await pool.query("begin");
  const db = databaseOn(pool, {
    begin: "savepoint inside",
    commit: "release savepoint inside",
    rollback: "rollback to savepoint inside",
  });
  return {
    db,
    [Symbol.asyncDispose]: async () => {
      await pool.query("rollback");
      await db.destroy();
    },
  };
}
