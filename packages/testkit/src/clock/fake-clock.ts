import { setImmediate as turn } from "node:timers/promises";

import type { Clock } from "@slipway/runtime";

/** A clock that stands still until it is advanced. Both of its times start at the same value. */
export interface FakeClock extends Clock {
  /** The number of waiting sleeps. */
  readonly sleepers: number;
  /**
   * Advances by `ms`: wakes the due sleeps in the order of their times, and lets what that triggers run until it
   * waits again. Sleeps that begin on the way count too.
   */
  advance(ms: number): Promise<void>;
}

interface Sleeper {
  readonly atMs: number;
  readonly wake: () => void;
}

/** Creates a fake clock that stands still at `startMs`, in milliseconds since 1970. */
export function createFakeClock(startMs = Date.UTC(2026, 0, 1)): FakeClock {
  let nowMs = startMs;
  const sleepers = new Set<Sleeper>();
  return {
    now: () => nowMs,
    monotonic: () => nowMs,
    get sleepers() {
      return sleepers.size;
    },
    sleep(ms, signal) {
      return new Promise((resolve, reject) => {
        if (signal.aborted) {
          reject(signal.reason);
          return;
        }
        const onAbort = (): void => {
          sleepers.delete(sleeper);
          reject(signal.reason);
        };
        const wake = (): void => {
          signal.removeEventListener("abort", onAbort);
          sleepers.delete(sleeper);
          resolve();
        };
        const sleeper = { atMs: nowMs + ms, wake };
        sleepers.add(sleeper);
        signal.addEventListener("abort", onAbort, { once: true });
      });
    },
    async advance(ms) {
      const endMs = nowMs + ms;
      await turn();
      for (;;) {
        const due = [...sleepers]
          .filter(({ atMs }) => atMs <= endMs)
          .toSorted((a, b) => a.atMs - b.atMs);
        const [first] = due;
        if (first === undefined) break;
        nowMs = Math.max(nowMs, first.atMs);
        first.wake();
        await turn();
      }
      nowMs = endMs;
      await turn();
    },
  };
}
