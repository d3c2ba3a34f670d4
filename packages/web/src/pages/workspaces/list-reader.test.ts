import { createFakeClock } from "@slipway/testkit";
import { expect, it, onTestFinished } from "vitest";

import { ListReader, paceMs } from "./list-reader.ts";

/** A reader whose reads are written down; `hold` makes the next one last until its result is called. */
function open() {
  const clock = createFakeClock();
  const startMs = clock.monotonic();
  const reads: (readonly [atMs: number, what: string])[] = [];
  let held: Promise<void> | undefined;
  const note = async (what: string): Promise<void> => {
    reads.push([clock.monotonic() - startMs, what]);
    const waited = held;
    held = undefined;
    await waited;
  };
  const reader = new ListReader({
    clock,
    readList: () => note("list"),
    readRows: (ids) => note(ids.join(" ")),
  });
  const ended = new AbortController();
  const running = reader.run(ended.signal);
  running.catch(() => undefined);
  onTestFinished(() => ended.abort());
  return {
    reads,
    clock,
    running,
    ended,
    tell: async (ids: readonly string[], ms = 0) => {
      reader.hear({ workspaces: [...ids], many: ids.length === 0 });
      await clock.advance(ms);
    },
    hold: () => {
      const release = Promise.withResolvers<void>();
      held = release.promise;
      return release.resolve;
    },
  };
}

it("reads the list at once after a quiet time, and the changed rows at once within a burst", async () => {
  const { reads, tell } = open();
  await tell([], 100);
  await tell(["a"], 100);
  await tell(["b", "c"], 2 * paceMs);
  await tell(["a"], paceMs);
  expect(reads).toEqual([
    [0, "list"],
    [100, "a"],
    [200, "b c"],
    [paceMs, "list"],
    [200 + 2 * paceMs, "list"],
  ]);
});

it("leaves a change of many within a burst to the list", async () => {
  const { reads, tell } = open();
  await tell(["a"], 100);
  await tell([], paceMs);
  expect(reads).toEqual([
    [0, "list"],
    [paceMs, "list"],
  ]);
});

it("reads one after another, and once for the changes that come meanwhile", async () => {
  const { reads, tell, hold, clock } = open();
  const release = hold();
  await tell([], 10);
  await tell(["a"], 10);
  await tell(["b"], 10);
  await tell(["a"], 10);
  expect(reads).toEqual([[0, "list"]]);
  release();
  await clock.advance(0);
  expect(reads).toEqual([
    [0, "list"],
    [40, "a b"],
  ]);
  await clock.advance(paceMs);
  expect(reads).toHaveLength(3);
});

it("reads nothing without news, and nothing after its end", async () => {
  const { reads, tell, clock, ended, running } = open();
  await tell([], 100 * paceMs);
  expect(reads).toHaveLength(1);
  await tell(["a"], 10);
  await tell(["a"], 10);
  ended.abort(new Error("the page is gone"));
  await expect(running).rejects.toThrow("the page is gone");
  await clock.advance(10 * paceMs);
  expect(reads).toHaveLength(3);
  expect(clock.sleepers).toBe(0);
});
