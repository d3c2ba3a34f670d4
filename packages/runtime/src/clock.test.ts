import { describe, expect, it } from "vitest";

import { systemClock } from "./clock.ts";

describe("systemClock", () => {
  it("sleeps at least as long as asked", async () => {
    const startedAt = systemClock.monotonic();
    await systemClock.sleep(5, new AbortController().signal);
    expect(systemClock.monotonic() - startedAt).toBeGreaterThanOrEqual(4);
  });

  it("throws the reason of the signal, not an error of its own", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const sleeping = systemClock.sleep(60_000, controller.signal);
    controller.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
    await expect(systemClock.sleep(0, controller.signal)).rejects.toBe(reason);
  });
});
