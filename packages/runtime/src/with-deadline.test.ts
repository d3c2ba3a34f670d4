import { describe, expect, it } from "vitest";

import { whenAborted } from "./abort.ts";
import { systemClock } from "./clock.ts";
import { withDeadline } from "./with-deadline.ts";

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
