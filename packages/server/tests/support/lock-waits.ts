import { type Kysely, sql } from "kysely";
import { vi } from "vitest";

import type { Database } from "../../src/platform/db/database.ts";
import type { DB } from "../../src/platform/db/gen/schema.ts";

/** A transaction that stays open until it is committed or rolled back. */
export interface OpenTransaction<T> extends AsyncDisposable {
  /** The result of its statements. */
  readonly result: T;
  commit(): Promise<void>;
  rollBack(): Promise<void>;
}

/** Runs statements in a transaction and leaves it open, with its locks. */
export async function holdOpen<T>(
  db: Database,
  work: (
    trx: Parameters<Parameters<ReturnType<Kysely<DB>["transaction"]>["execute"]>[0]>[0],
  ) => Promise<T>,
): Promise<OpenTransaction<T>> {
  const done = Promise.withResolvers<T>();
  const ending = Promise.withResolvers<void>();
  const ended = db.transaction().execute(async (trx) => {
    done.resolve(await work(trx));
    await ending.promise;
  });
  ended.catch((error: unknown) => done.reject(error));
  const result = await done.promise;
  const rollBack = async (): Promise<void> => {
    ending.reject(new Error("rolled back"));
    await ended.catch(() => undefined);
  };
  return {
    result,
    commit: async () => {
      ending.resolve();
      await ended;
    },
    rollBack,
    [Symbol.asyncDispose]: rollBack,
  };
}

/** Waits until at least `count` statements wait for locks of others. */
export async function waitForBlocked(db: Database, count = 1): Promise<void> {
  await vi.waitUntil(
    async () => {
      const { rows } = await sql<{ readonly count: number }>`
        select count(*)::integer as count from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'`.execute(db);
      return (rows[0]?.count ?? 0) >= count;
    },
    { timeout: 20_000, interval: 20 },
  );
}
