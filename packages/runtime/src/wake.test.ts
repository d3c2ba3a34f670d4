import { createFakeClock } from "@slipway/testkit";
import { describe, expect, it } from "vitest";

import { Wake } from "./wake.ts";

const never = new AbortController().signal;

describe("Wake", () => {
  it("counts any number of wakes before a wait as one", async () => {
    const clock = createFakeClock(0);
    const wake = new Wake();
    wake.wake();
    wake.wake();
    await wake.wait(1000, clock, never);
    expect(clock.now()).toBe(0);
    let isWoken = false;
    const second = wake.wait(1000, clock, never).then(() => (isWoken = true));
    await clock.advance(999);
    expect(isWoken).toBe(false);
    await clock.advance(1);
    await second;
  });

  it("ends a wait at once and leaves no sleep behind", async () => {
    const clock = createFakeClock();
    const wake = new Wake();
    const waiting = wake.wait(1000, clock, never);
    expect(clock.sleepers).toBe(1);
    wake.wake();
    await waiting;
    expect(clock.sleepers).toBe(0);
  });

  it("rejects with the reason of the signal, and keeps a wake that came before", async () => {
    const clock = createFakeClock();
    const wake = new Wake();
    const controller = new AbortController();
    const outcome = expect(wake.wait(1000, clock, controller.signal)).rejects.toThrow("enough");
    controller.abort(new Error("enough"));
    await outcome;
    wake.wake();
    await expect(wake.wait(1000, clock, controller.signal)).rejects.toThrow("enough");
    await wake.wait(1000, clock, never);
  });

  it("passes on what breaks the clock", async () => {
    const broken = { ...createFakeClock(), sleep: () => Promise.reject(new Error("no time")) };
    await expect(new Wake().wait(1, broken, never)).rejects.toThrow("no time");
  });
});
