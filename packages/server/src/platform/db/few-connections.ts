import { availableParallelism } from "node:os";

import type { Clock } from "@slipway/runtime";
import type { PoolClient } from "pg";

import type { ConnectionPool } from "./prepared-pool.ts";

/** The number of connections in use from which on a statement waits for one of them. */
const usualConnections = Math.max(8, 4 * availableParallelism());
/** The longest that a statement waits: by then those in use may wait for locks, or for its own transaction. */
export const patienceMs = 100;

const { signal: never } = new AbortController();

/** The part of pg's pool that is used here. */
interface ReleasingPool {
  readonly options: ConnectionPool["options"];
  connect(): Promise<PoolClient>;
  end(): Promise<void>;
  on(event: "release", listener: () => void): unknown;
}

interface FewConnectionsOptions {
  readonly clock: Clock;
  readonly usual?: number;
}

/**
 * Lets statements wait for a connection in use for a moment, oldest first, before the pool opens another: each new one
 * parses and plans every statement again, which takes as long as four claims, and more at once do not end earlier.
 */
export function fewConnections(
  pool: ReleasingPool,
  { clock, usual = usualConnections }: FewConnectionsOptions,
): ConnectionPool {
  /** The times since which statements wait, by what gives them their turn; oldest first. */
  const waiting = new Map<() => void, number>();
  let inUse = 0;
  let isWatched = false;

  const wait = (): Promise<void> =>
    new Promise((resolve) => {
      const begin = (): void => {
        waiting.delete(begin);
        inUse += 1;
        resolve();
      };
      waiting.set(begin, clock.monotonic());
      if (!isWatched) void watch();
    });
  /** Gives those a turn that have waited long enough. One timer serves all. */
  const watch = async (): Promise<void> => {
    isWatched = true;
    for (const [begin, sinceMs] of waiting) {
      const leftMs = sinceMs + patienceMs - clock.monotonic();
      if (leftMs > 0) await clock.sleep(leftMs, never);
      if (waiting.has(begin)) begin();
    }
    isWatched = false;
  };
  const end = (): void => {
    inUse -= 1;
    const [next] = waiting.keys();
    if (inUse < usual) next?.();
  };

  pool.on("release", end);
  return {
    options: pool.options,
    connect: async (): Promise<PoolClient> => {
      if (inUse < usual && waiting.size === 0) inUse += 1;
      else await wait();
      try {
        return await pool.connect();
      } catch (error) {
        end();
        throw error;
      }
    },
    end: () => pool.end(),
  };
}
