import type { Clock } from "./clock.ts";

/** The reason of signals that end a timer which is no longer needed: an error for each would cost more than the timer. */
const noLongerNeeded = new DOMException("no longer needed", "AbortError");

/**
 * Passes `task` a signal that is aborted with a `TimeoutError` after `ms`, by the clock, and waits for it. The error
 * names the missing result: `wanted`.
 */
export async function withDeadline<T>(
  ms: number,
  clock: Pick<Clock, "sleep">,
  task: (limit: AbortSignal) => Promise<T>,
  wanted = "end",
): Promise<T> {
  const limit = new AbortController();
  const ended = new AbortController();
  clock.sleep(ms, ended.signal).then(
    () => limit.abort(new DOMException(`no ${wanted} within ${ms} ms`, "TimeoutError")),
    // The task finished first.
    () => undefined,
  );
  try {
    return await task(limit.signal);
  } finally {
    ended.abort(noLongerNeeded);
  }
}

/**
 * Resolves to whether the promise is fulfilled within `ms`, by the clock; the signal cuts the wait short. Rejects if
 * the promise does. The promise itself continues.
 */
export async function settlesWithin(
  promise: Promise<unknown>,
  ms: number,
  clock: Pick<Clock, "sleep">,
  signal?: AbortSignal,
): Promise<boolean> {
  const settled = new AbortController();
  const either = signal === undefined ? settled.signal : AbortSignal.any([signal, settled.signal]);
  const late = clock.sleep(ms, either).then(
    () => false,
    () => false,
  );
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    settled.abort(noLongerNeeded);
  }
}
