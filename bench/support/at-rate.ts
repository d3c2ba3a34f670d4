import { setTimeout as pause } from "node:timers/promises";

/** Begins `count` things at a steady rate, whether those before are done or not. */
export async function beginAtRate<T>(
  perSecond: number,
  count: number,
  begin: () => Promise<T>,
): Promise<readonly T[]> {
  const startedAt = performance.now();
  const begun: Promise<T>[] = [];
  for (let number = 0; number < count; number += 1) {
    const waitMs = startedAt + (number * 1000) / perSecond - performance.now();
    if (waitMs > 0) await pause(waitMs);
    begun.push(begin());
  }
  return Promise.all(begun);
}
