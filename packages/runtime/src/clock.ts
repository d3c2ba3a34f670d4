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

/** The machine's own clock by what every browser has. */
export const webClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep,
};

/** The longest delay of a timer; a longer one would end at once. */
const maxTimerMs = 2 ** 31 - 1;

/**
 * Resolves after `ms` of real time; rejects with the signal's reason if that is aborted first. It runs in browsers too, and
 * unlike that of `node:timers/promises` it creates no error when it is cut short.
 */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(
      () => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      },
      Math.min(ms, maxTimerMs),
    );
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
