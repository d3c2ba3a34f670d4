import { expect, it } from "vitest";

import { KeepAlive } from "./probe-timers.ts";

const options = { idleMs: 1000, intervalMs: 100, probes: 2 };

it("asks nobody unless it is turned on", () => {
  const keepAlive = new KeepAlive();
  keepAlive.heard(0);
  expect(keepAlive.deadline).toBe(Number.POSITIVE_INFINITY);
  expect([keepAlive.tick(1e9), keepAlive.takeProbe()]).toEqual([true, false]);
});

it("asks after the idle time, and gives up after as many questions without an answer", () => {
  const keepAlive = new KeepAlive();
  keepAlive.set(options, 0);
  for (const now of [1000, 1100]) {
    expect(keepAlive.deadline).toBe(now);
    expect([keepAlive.tick(now), keepAlive.takeProbe()]).toEqual([true, true]);
  }
  expect(keepAlive.tick(1200)).toBe(false);
});

it("starts anew with each segment", () => {
  const keepAlive = new KeepAlive();
  keepAlive.set(options, 0);
  keepAlive.tick(1000);
  keepAlive.heard(1050);
  expect([keepAlive.takeProbe(), keepAlive.deadline]).toEqual([false, 2050]);
});

it("gives the peer its time after this end has slept", () => {
  const keepAlive = new KeepAlive();
  keepAlive.set(options, 0);
  expect(keepAlive.tick(1_000_000)).toBe(true);
  expect(keepAlive.deadline).toBe(1_000_100);
});
