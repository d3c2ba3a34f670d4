import type { Transaction } from "kysely";

import type { Database } from "../../src/platform/db/database.ts";
import type { DB } from "../../src/platform/db/gen/schema.ts";

/** A database, and the number of its transactions that have been committed. */
export interface CountedDatabase {
  readonly db: Database;
  readonly count: number;
}

/** Counts the transactions of a database as they are committed. */
export function countCommits(db: Database): CountedDatabase {
  let count = 0;
  const transaction = () => ({
    execute: async <T>(work: (trx: Transaction<DB>) => Promise<T>): Promise<T> => {
      const result = await db.transaction().execute(work);
      count += 1;
      return result;
    },
  });
  const counted = new Proxy(db, {
    get: (target, name) => {
      if (name === "transaction") return transaction;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return {
    db: counted,
    get count() {
      return count;
    },
  };
}
