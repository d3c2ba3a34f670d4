/** The longest delay of a timer; a longer one would end at once. */
const maxTimerMs = 2 ** 31 - 1;

/**
 * Resolves after `ms`, of real time; rejects with the signal's reason when that is aborted first. By what Node.js and
 * browsers share: that of `node:timers/promises` makes an error of its own for each sleep that is cut short.
 */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
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
