import { getEventListeners } from "node:events";

import { describe, expect, it } from "vitest";

import { whenAborted } from "./abort.ts";
import { Scope } from "./scope.ts";

/** Creates a task that waits for its signal and records that it ended. */
function patient(ended: string[], name: string) {
  return async (signal: AbortSignal): Promise<void> => {
    await whenAborted(signal);
    await Promise.resolve();
    ended.push(name);
  };
}

describe("Scope", () => {
  it("aborts the other tasks with the first failure and reports that one", async () => {
    await using scope = new Scope();
    const ended: string[] = [];
    const failure = new Error("broken");
    scope.run(patient(ended, "other"));
    scope.run(() => Promise.reject(failure));
    await expect(scope.failed).rejects.toBe(failure);
    expect(scope.signal.reason).toBe(failure);
    await expect(scope.join()).rejects.toBe(failure);
    await scope.close();
    expect(ended).toEqual(["other"]);
  });

  it("takes what a task throws after the abort as its way to end", async () => {
    const scope = new Scope();
    scope.run(async (signal) => {
      await whenAborted(signal);
      throw new Error("too late");
    });
    await scope.close();
    await expect(scope.join()).resolves.toBeUndefined();
  });

  it("closes by aborting every task and waiting for all, also twice", async () => {
    const scope = new Scope();
    const ended: string[] = [];
    scope.run(patient(ended, "a"));
    scope.run(patient(ended, "b"));
    await Promise.all([scope.close(new Error("enough")), scope.close()]);
    expect(ended).toEqual(["a", "b"]);
    expect(scope.signal.reason).toMatchObject({ message: "enough" });
  });

  it("joins tasks that end by themselves, those started on the way among them", async () => {
    await using scope = new Scope();
    const ended: string[] = [];
    scope.run(async () => {
      scope.run(async () => {
        await Promise.resolve();
        ended.push("inner");
      });
      ended.push("outer");
    });
    await scope.join();
    expect(ended).toEqual(["outer", "inner"]);
    expect(scope.signal.aborted).toBe(false);
  });

  it("ends with its parent, one that had ended before too", async () => {
    const parent = new AbortController();
    await using scope = new Scope(parent.signal);
    const ended: string[] = [];
    scope.run(patient(ended, "task"));
    parent.abort(new Error("enough"));
    await scope.join();
    expect(ended).toEqual(["task"]);
    expect(scope.signal.reason).toBe(parent.signal.reason);
    await using late = new Scope(parent.signal);
    expect(late.signal.reason).toBe(parent.signal.reason);
  });

  it("leaves no listener on a parent that outlives it", async () => {
    const { signal } = new AbortController();
    await new Scope(signal).close();
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});
