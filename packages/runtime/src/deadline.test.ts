import { describe, expect, it } from "vitest";

import { whenAborted } from "./abort.ts";
import { systemClock } from "./clock.ts";
import { withDeadline, settlesWithin } from "./deadline.ts";

describe("withDeadline", () => {
  it("resolves to what the task does, and ends its own sleep", async () => {
    let sleeping: AbortSignal | undefined;
    const sleep = (ms: number, signal: AbortSignal): Promise<void> => {
      sleeping = signal;
      return systemClock.sleep(ms, signal);
    };
    expect(await withDeadline(60_000, { sleep }, async () => 7)).toBe(7);
    expect(sleeping?.aborted).toBe(true);
  });

  it("aborts the task's signal after the time, saying what did not come", async () => {
    const sleep = (): Promise<void> => Promise.resolve();
    const reason = withDeadline(
      10,
      { sleep },
      async (limit) => {
        await whenAborted(limit);
        limit.throwIfAborted();
      },
      "answer",
    );
    await expect(reason).rejects.toMatchObject({
      name: "TimeoutError",
      message: "no answer within 10 ms",
    });
  });

  it("rejects with what the task throws", async () => {
    const failing = withDeadline(60_000, systemClock, () => Promise.reject(new Error("broken")));
    await expect(failing).rejects.toThrow("broken");
  });
});

const pending = new Promise<never>(() => undefined);

describe("settlesWithin", () => {
  it("is true for a promise that comes first, and ends its own sleep", async () => {
    let sleeping: AbortSignal | undefined;
    const sleep = (ms: number, signal: AbortSignal): Promise<void> => {
      sleeping = signal;
      return systemClock.sleep(ms, signal);
    };
    expect(await settlesWithin(Promise.resolve(), 60_000, { sleep })).toBe(true);
    expect(sleeping?.aborted).toBe(true);
  });

  it("is false after the time, or when the signal ends the wait", async () => {
    expect(await settlesWithin(pending, 10, { sleep: () => Promise.resolve() })).toBe(false);
    const aborted = AbortSignal.abort(new Error("enough"));
    expect(await settlesWithin(pending, 60_000, systemClock, aborted)).toBe(false);
  });

  it("rejects with the promise", async () => {
    const broken = Promise.reject(new Error("broken"));
    await expect(settlesWithin(broken, 60_000, systemClock)).rejects.toThrow("broken");
  });
});
