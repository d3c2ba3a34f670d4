import { expect, it } from "vitest";

import { SharedRuns } from "./shared-runs.ts";

/** A task that ends when it is told to, and records its signal. */
function controlled() {
  const { promise, resolve } = Promise.withResolvers<string>();
  const signals: AbortSignal[] = [];
  const task = (signal: AbortSignal): Promise<string> => {
    signals.push(signal);
    return new Promise((done, fail) => {
      signal.addEventListener("abort", () => fail(signal.reason));
      void promise.then(done);
    });
  };
  return { task, signals, end: resolve };
}

const never = new AbortController().signal;

it("runs a task once for all who ask at the same time, and again for those who ask later", async () => {
  const runs = new SharedRuns<string>();
  const { task, signals, end } = controlled();
  const both = [runs.run("a", never, task), runs.run("a", never, task)];
  end("done");
  expect(await Promise.all(both)).toEqual(["done", "done"]);
  expect(signals).toHaveLength(1);
  await runs.run("a", never, task);
  expect(signals).toHaveLength(2);
});

it("goes on for those who wait when one has gone away, and ends with the last", async () => {
  const runs = new SharedRuns<string>();
  const { task, signals } = controlled();
  const askers = [new AbortController(), new AbortController()];
  const all = askers.map(({ signal }) => runs.run("a", signal, task));
  const ends = Promise.allSettled(all);
  askers[0]?.abort(new Error("first"));
  await expect(all[0]).rejects.toThrow("first");
  expect(signals[0]?.aborted).toBe(false);
  askers[1]?.abort(new Error("second"));
  await ends;
  expect(signals[0]?.aborted).toBe(true);
  await expect(runs.run("a", AbortSignal.abort(new Error("gone")), task)).rejects.toThrow("gone");
  expect(signals).toHaveLength(1);
});

it("begins another run for who asks while one that nobody waits for is ending", async () => {
  const runs = new SharedRuns<string>();
  const { promise: cleaned, resolve: clean } = Promise.withResolvers<void>();
  const leaving = new AbortController();
  const left = runs.run("a", leaving.signal, async (signal) => {
    await cleaned;
    signal.throwIfAborted();
    return "old";
  });
  leaving.abort(new Error("left"));
  await expect(left).rejects.toThrow("left");
  expect(await runs.run("a", never, async () => "new")).toBe("new");
  clean();
});

it("aborts all runs, and waits for their ends", async () => {
  const runs = new SharedRuns<string>();
  let hasEnded = false;
  const waiting = runs.run("a", never, async (signal) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    // Cleaning up takes a moment.
    await new Promise(setImmediate);
    hasEnded = true;
    throw signal.reason;
  });
  waiting.catch(() => undefined);
  await runs.abortAll(new Error("closing"));
  expect(hasEnded).toBe(true);
  await expect(waiting).rejects.toThrow("closing");
});
