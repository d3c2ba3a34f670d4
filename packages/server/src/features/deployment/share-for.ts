import type { Clock } from "@slipway/runtime";

/**
 * Wraps `ask` to run at most once per `ms`, and never concurrently: all callers in between share its result or error.
 */
export function shareFor<T>(
  ms: number,
  clock: Pick<Clock, "monotonic">,
  ask: () => Promise<T>,
): () => Promise<T> {
  let shared: Promise<T> | undefined;
  let askedAt = 0;
  let isRunning = false;
  return () => {
    if (shared !== undefined && (isRunning || clock.monotonic() - askedAt < ms)) return shared;
    askedAt = clock.monotonic();
    isRunning = true;
    shared = ask().finally(() => {
      isRunning = false;
    });
    return shared;
  };
}
