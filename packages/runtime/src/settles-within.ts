import type { Clock } from "./clock.ts";

/**
 * Resolves to whether the promise is fulfilled within `ms`, by the clock; the signal cuts the wait short. Rejects with
 * the promise. The promise itself goes on.
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
    settled.abort();
  }
}
