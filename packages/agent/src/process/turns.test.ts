import { setImmediate } from "node:timers/promises";

import { expect, it } from "vitest";

import { FairTurns, LoopTurns } from "./turns.ts";

const limits = { what: "files", max: 2, maxEach: 1, maxWaitingEach: 2, waitMs: 60_000 };

/** An operation that ends on demand. */
function held(turns: FairTurns, owner: object): { readonly end: () => void; hasBegun: boolean } {
  const ending = Promise.withResolvers<void>();
  const operation = { end: () => ending.resolve(), hasBegun: false, settled: Promise.resolve() };
  operation.settled = turns
    .run(owner, () => {
      operation.hasBegun = true;
      return ending.promise;
    })
    .catch(() => undefined);
  return operation;
}

it("gives each owner its share, and the next turn to the first who has less", async () => {
  const turns = new FairTurns(limits);
  const [ann, bob, eve] = [{}, {}, {}];
  const stuck = held(turns, ann);
  const behind = held(turns, ann);
  const other = held(turns, bob);
  const last = held(turns, eve);
  await Promise.resolve();
  expect([stuck, behind, other, last].map(({ hasBegun }) => hasBegun)).toEqual([
    true,
    false,
    true,
    false,
  ]);
  other.end();
  await expect.poll(() => last.hasBegun).toBe(true);
  expect(behind.hasBegun).toBe(false);
  stuck.end();
  await expect.poll(() => behind.hasBegun).toBe(true);
});

it("lets nobody wait without end for what does not end, but those who close", async () => {
  const turns = new FairTurns({ ...limits, waitMs: 1 });
  const ann = {};
  const stuck = held(turns, ann);
  const closed = turns.runPatiently(ann, async () => "closed");
  await expect(turns.run(ann, async () => "late")).rejects.toMatchObject({
    code: "busy",
    message: "files are busy: no turn within 0.001 s",
  });
  stuck.end();
  expect(await closed).toBe("closed");
});

it("refuses at once whoever waits for too much, and counts who has been served", async () => {
  const turns = new FairTurns(limits);
  const ann = {};
  const first = held(turns, ann);
  const waiting = [held(turns, ann), held(turns, ann)];
  await expect(turns.run(ann, async () => "more")).rejects.toThrow("too many requests wait");
  first.end();
  for (const one of waiting) one.end();
  await expect.poll(() => turns.run(ann, async () => "again")).toBe("again");
  const again = [held(turns, ann), held(turns, ann), held(turns, ann)];
  for (const one of again) one.end();
  await expect.poll(() => again.every(({ hasBegun }) => hasBegun)).toBe(true);
});

it("goes on after an operation that fails", async () => {
  const turns = new FairTurns(limits);
  const ann = {};
  const failing = async (): Promise<void> => {
    throw new Error("broken");
  };
  for (let count = 0; count < 5; count += 1) {
    await expect(turns.run(ann, failing)).rejects.toThrow("broken");
  }
});

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
