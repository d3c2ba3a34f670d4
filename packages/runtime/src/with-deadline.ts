import type { Clock } from "./clock.ts";

/**
 * Gives `task` a signal that is aborted with a `TimeoutError` after `ms`, by the clock, and waits for it. The error
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
    // The task was faster.
    () => undefined,
  );
  try {
    return await task(limit.signal);
  } finally {
    ended.abort();
  }
}
