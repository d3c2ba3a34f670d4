import { expect, it } from "vitest";

import { Unavailable } from "../../platform/errors/errors.ts";
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

it("lets nobody else be refused because of who asked first", async () => {
  const runs = new SharedRuns<string>();
  const refusal = new Unavailable("too many wait");
  const first = Promise.withResolvers<string>();
  const { task, signals, end } = controlled();
  const refused = runs.run("a", never, () => first.promise);
  const others = [runs.run("a", never, task), runs.run("a", never, task)];
  first.reject(refusal);
  await expect(refused).rejects.toBe(refusal);
  end("done");
  expect(await Promise.all(others)).toEqual(["done", "done"]);
  // They share the run after it.
  expect(signals).toHaveLength(1);
});

it("passes other failures on, and a refusal of each who asks", async () => {
  const runs = new SharedRuns<string>();
  const [broken, refusal] = [new Error("broken"), new Unavailable("too many wait")];
  for (const error of [broken, refusal]) {
    const all = [1, 2, 3].map(() => runs.run("a", never, () => Promise.reject(error)));
    const ends = await Promise.allSettled(all);
    expect(ends).toEqual(all.map(() => ({ status: "rejected", reason: error })));
  }
});

it("aborts all runs, and waits for their ends", async () => {
  const runs = new SharedRuns<string>();
  let ended = 0;
  const task = async (signal: AbortSignal): Promise<string> => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    // Cleaning up takes a moment.
    await new Promise(setImmediate);
    ended += 1;
    throw signal.reason;
  };
  const waiting = Promise.allSettled([runs.run("a", never, task), runs.run("a", never, task)]);
  const reason = new Unavailable("closing");
  await runs.abortAll(reason);
  expect(ended).toBe(1);
  expect(await waiting).toEqual([1, 2].map(() => ({ status: "rejected", reason })));
});
