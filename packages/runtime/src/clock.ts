/** Time as a dependency. Wall-clock and monotonic times are in milliseconds. */
export interface Clock {
  /** Returns the wall-clock time, in milliseconds since the Unix epoch. */
  now(): number;
  /** Returns the monotonic time in milliseconds; only differences are meaningful. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason if it is aborted first. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** The machine's own clock. A sleep does not keep the process alive once its signal is aborted. */
export const systemClock: Clock = {
  now: () => Date.now(),
  // `performance` is a large part of Node.js, loaded at its first use.
  monotonic: () => Number(process.hrtime.bigint()) / 1e6,
  sleep,
};

/** The machine's own clock, using only what every browser has. */
export const webClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep,
};

/** The longest delay of a timer; a longer one would end immediately. */
const maxTimerMs = 2 ** 31 - 1;

/**
 * Resolves after `ms` of real time; rejects with the signal's reason if it is aborted first. It also runs in
 * browsers, and unlike `node:timers/promises` it creates no error when it is cut short.
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
