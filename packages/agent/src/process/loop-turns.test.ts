import { setImmediate } from "node:timers/promises";

import { expect, it } from "vitest";

import { LoopTurns } from "./loop-turns.ts";

it("gives each of those who wait a turn of the event loop of its own", async () => {
  const turns = new LoopTurns();
  let served = 0;
  const waiting = [1, 2, 3].map(async () => {
    await turns.next();
    served += 1;
  });
  const counts: number[] = [];
  while (served < waiting.length) {
    const before = served;
    await setImmediate();
    counts.push(served - before);
  }
  expect(Math.max(...counts)).toBe(1);
  await Promise.all(waiting);
});
