import { describe, expect, it } from "vitest";

import { systemClock } from "./clock.ts";
import { settlesWithin } from "./settles-within.ts";

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
