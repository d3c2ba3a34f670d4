import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";

import type { MeasuredPostgres } from "./measured-postgres.ts";

/** The durations of round trips between two connections of this process, in milliseconds. */
export interface NotifyRounds {
  /** A NOTIFY without a row. */
  readonly bare: readonly number[];
  /** A row that is written and committed with its NOTIFY. */
  readonly committed: readonly number[];
}

export interface NotifyFloor {
  /** Alternates between the two rounds until the signal is aborted. */
  readonly measure: (everyMs: number, signal: AbortSignal) => Promise<NotifyRounds>;
}

const bare = { name: "bare", text: "select pg_notify('floor', '')" };
const committed = {
  name: "committed",
  text: "with row as (insert into floor values (1) returning 1) select pg_notify('floor', '') from row",
};

export async function openNotifyFloor(database: MeasuredPostgres): Promise<NotifyFloor> {
  const [listener, sender] = [await database.connect(), await database.connect()];
  await listener.query("create table floor (value integer)");
  await listener.query("listen floor");
  const round = async (statement: typeof bare): Promise<number> => {
    const heard = once(listener, "notification");
    const startedAt = performance.now();
    const sent = sender.query(statement);
    await heard;
    const tookMs = performance.now() - startedAt;
    await sent;
    return tookMs;
  };
  return {
    measure: async (everyMs, signal) => {
      const rounds = { bare: [] as number[], committed: [] as number[] };
      while (!signal.aborted) {
        rounds.bare.push(await round(bare));
        await pause(everyMs);
        rounds.committed.push(await round(committed));
        await pause(everyMs);
      }
      return rounds;
    },
  };
}
