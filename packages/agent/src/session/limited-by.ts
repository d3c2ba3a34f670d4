import type { Clock } from "@slipway/runtime";

/** Gives `task` a signal that is aborted after `ms`, and waits for it. */
export async function limitedBy(
  ms: number,
  clock: Clock,
  task: (limit: AbortSignal) => Promise<void>,
): Promise<void> {
  const limit = new AbortController();
  const ended = new AbortController();
  clock.sleep(ms, ended.signal).then(
    () => limit.abort(new DOMException(`no end within ${ms} ms`, "TimeoutError")),
    // The task was faster.
    () => undefined,
  );
  try {
    await task(limit.signal);
  } finally {
    ended.abort();
  }
}
