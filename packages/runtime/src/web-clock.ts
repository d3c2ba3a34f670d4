import type { Clock } from "./clock.ts";

/** The longest delay of a timer; a longer one would end at once. */
const maxTimerMs = 2 ** 31 - 1;

/** The machine's own clock by what every browser has. */
export const webClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
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
    }),
};
