import { describe, expect, it } from "vitest";

import { createFakeClock } from "./fake-clock.ts";

const never = new AbortController().signal;

describe("createFakeClock", () => {
  it("wakes sleeps in the order of their time and counts those begun on the way", async () => {
    const clock = createFakeClock(1000);
    const seen: string[] = [];
    void clock.sleep(20, never).then(() => seen.push(`late ${clock.now()}`));
    void clock.sleep(10, never).then(async () => {
      seen.push(`early ${clock.now()}`);
      await clock.sleep(5, never);
      seen.push(`again ${clock.now()}`);
    });
    await clock.advance(30);
    expect(seen).toEqual(["early 1010", "again 1015", "late 1020"]);
    expect(clock.now()).toBe(1030);
    expect(clock.sleepers).toBe(0);
  });

  it("leaves what is not due asleep, and rejects with the signal's reason", async () => {
    const clock = createFakeClock();
    const controller = new AbortController();
    const sleep = clock.sleep(100, controller.signal);
    await clock.advance(99);
    expect(clock.sleepers).toBe(1);
    controller.abort(new Error("enough"));
    await expect(sleep).rejects.toThrow("enough");
    expect(clock.sleepers).toBe(0);
    await expect(clock.sleep(1, controller.signal)).rejects.toThrow("enough");
  });
});
