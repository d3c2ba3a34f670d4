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

/** The number of things under way at once. */
const atOnce = 8;

/** Makes `count` things, several at once, in no particular order. */
export async function makeMany<T>(
  count: number,
  make: (number: number) => Promise<T>,
): Promise<readonly T[]> {
  const made: T[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) made.push(await make(next++));
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return made;
}
