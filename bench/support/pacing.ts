import { setTimeout as pause } from "node:timers/promises";

/** Starts `count` tasks at a steady rate, whether earlier ones are done or not. */
export async function beginAtRate<T>(
  perSecond: number,
  count: number,
  begin: (number: number) => Promise<T>,
): Promise<readonly T[]> {
  const startedAt = performance.now();
  const begun: Promise<T>[] = [];
  for (let number = 0; number < count; number += 1) {
    const waitMs = startedAt + (number * 1000) / perSecond - performance.now();
    if (waitMs > 0) await pause(waitMs);
    begun.push(begin(number));
  }
  return Promise.all(begun);
}

/** The number of concurrent tasks. */
const atOnce = 8;

/** Runs `count` tasks, several concurrently, in no particular order. */
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
