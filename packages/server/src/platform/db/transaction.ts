import type { Transaction } from "kysely";

import type { Database } from "./database.ts";
import { sqlState, sqlStateOf } from "./errors.ts";
import type { DB } from "./gen/schema.ts";

const maxAttempts = 5;

/**
 * Runs `work` in a transaction, and retries it when PostgreSQL aborted it in favor of another (40001, 40P01). So `work`
 * does nothing but SQL on the given transaction.
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
