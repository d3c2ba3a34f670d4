import { sleep } from "./sleep.ts";

/** Time as a dependency. Wall-clock and monotonic times are in milliseconds. */
export interface Clock {
  /** Returns the wall-clock time, in milliseconds since the Unix epoch. */
  now(): number;
  /** Returns the monotonic time in milliseconds; only differences mean something. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason when that is aborted first. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** The machine's own clock. A sleep does not keep the process alive once its signal is aborted. */
export const systemClock: Clock = {
  now: () => Date.now(),
  // `performance` is a large part of Node.js, which is loaded at its first use.
  monotonic: () => Number(process.hrtime.bigint()) / 1e6,
  sleep,
};
