import { sql, type Transaction } from "kysely";

import type { Database, Queryable } from "./database.ts";
import { sqlState, sqlStateOf } from "./errors.ts";
import type { DB } from "./gen/schema.ts";

const maxAttempts = 5;

/**
 * Runs `work` in a transaction, and retries it when PostgreSQL aborted it in favor of another (40001, 40P01). `work`
 * must therefore do nothing but SQL on the given transaction.
 */
export async function inTransaction<T>(
  db: Database,
  work: (trx: Transaction<DB>) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await db.transaction().execute(work);
    } catch (error) {
      const state = sqlStateOf(error);
      const again = state === sqlState.serializationFailure || state === sqlState.deadlockDetected;
      if (!again || attempt === maxAttempts) throw error;
    }
  }
}

/**
 * Runs statements of a transaction that wait at most `ms` for each lock. Resolves to undefined, with the statements
 * rolled back and the transaction still usable, if a lock was not free in time.
 */
export async function withLockTimeout<T>(
  trx: Queryable,
  ms: number,
  work: () => Promise<T>,
): Promise<T | undefined> {
  await sql`savepoint before_lock`.execute(trx);
  try {
    await setLockTimeout(trx, ms);
    const result = await work();
    await setLockTimeout(trx, 0);
    await sql`release savepoint before_lock`.execute(trx);
    return result;
  } catch (error) {
    if (sqlStateOf(error) !== sqlState.lockNotAvailable) throw error;
    // Also resets the timeout.
    await sql`rollback to savepoint before_lock`.execute(trx);
    return undefined;
  }
}

async function setLockTimeout(trx: Queryable, ms: number): Promise<void> {
  await sql`select set_config('lock_timeout', ${String(ms)}, true)`.execute(trx);
}
