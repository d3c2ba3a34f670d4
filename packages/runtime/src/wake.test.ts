import { getEventListeners } from "node:events";

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

  it("waits without a timer for the next wake, and takes one that came before", async () => {
    const wake = new Wake();
    const controller = new AbortController();
    const woken: string[] = [];
    const first = wake.woken(controller.signal).then(() => woken.push("first"));
    await Promise.resolve();
    expect(woken).toEqual([]);
    wake.wake();
    await first;
    wake.wake();
    await wake.woken(controller.signal);
    const last = wake.woken(controller.signal);
    controller.abort(new Error("enough"));
    await expect(last).rejects.toThrow("enough");
    wake.wake();
    await expect(wake.woken(controller.signal)).rejects.toThrow("enough");
    await wake.woken(never);
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

  it("leaves no listener on a signal that outlives its waits", async () => {
    const wake = new Wake();
    const { signal } = new AbortController();
    const timed = wake.wait(1000, createFakeClock(), signal);
    wake.wake();
    await timed;
    const untimed = wake.woken(signal);
    wake.wake();
    await untimed;
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("passes on what breaks the clock", async () => {
    const broken = { ...createFakeClock(), sleep: () => Promise.reject(new Error("no time")) };
    await expect(new Wake().wait(1, broken, never)).rejects.toThrow("no time");
  });

  it("waits until a time, and is woken by an earlier one alone", async () => {
    const clock = createFakeClock(1000);
    const wake = new Wake();
    // Without waiters.
    wake.wakeBefore(0);
    let ended = 0;
    const wait = (at: number): Promise<number> =>
      wake.waitUntil(at, clock.monotonic(), clock, never).then(() => (ended += 1));
    const start = clock.monotonic();
    const first = wait(start + 500);
    wake.wakeBefore(start + 500);
    await clock.advance(499);
    expect(ended).toBe(0);
    await clock.advance(1);
    await first;
    wake.wakeBefore(0);
    const second = wait(Number.POSITIVE_INFINITY);
    await clock.advance(1_000_000);
    expect(ended).toBe(1);
    wake.wakeBefore(start + 2_000_000);
    await second;
    expect(clock.sleepers).toBe(0);
  });

  it("does not wait for a time that is over, nor after a wake", async () => {
    const clock = createFakeClock();
    const wake = new Wake();
    const over = wake.waitUntil(clock.monotonic() - 5, clock.monotonic(), clock, never);
    await clock.advance(0);
    await over;
    wake.wake();
    await wake.waitUntil(Number.POSITIVE_INFINITY, clock.monotonic(), clock, never);
    // The wake counted once, and there is no waiter that an earlier time could wake.
    wake.wakeBefore(0);
    const waiting = wake.waitUntil(clock.monotonic() + 10, clock.monotonic(), clock, never);
    expect(clock.sleepers).toBe(1);
    await clock.advance(10);
    await waiting;
  });
});
