import { expect, it } from "vitest";

import { Pacer } from "./pacer.ts";

const segment = 1000;

/** Returns the times at which segments are sent if they are requested as soon as allowed. */
function timesOf(count: number, windowBytes: number, isSlowStart: boolean, rttMs: number) {
  const pacer = new Pacer({ bytes: segment });
  const times: number[] = [];
  let now = 0;
  while (times.length < count) {
    if (pacer.allows(now)) {
      pacer.sent(segment, windowBytes, isSlowStart, rttMs, now);
      times.push(now);
    } else {
      now = pacer.deadline;
      pacer.tick(now);
    }
  }
  return times;
}

it("spreads a window over four fifths of the round trip, and over half while it starts slowly", () => {
  expect(timesOf(101, 100 * segment, false, 100).at(-1)).toBeCloseTo(80 - 4 * 0.8, 5);
  expect(timesOf(101, 100 * segment, true, 100).at(-1)).toBeCloseTo(50 - 4 * 0.5, 5);
});

it("lets a few segments out at once, or what a late timer owes", () => {
  expect(timesOf(6, 10 * segment, false, 100)).toEqual([0, 0, 0, 0, 0, 8]);
  const many = timesOf(20, 1000 * segment, false, 100);
  expect(many.filter((time) => time === 0).length).toBe(13);
});

it("does not hold anything back before the RTT is known", () => {
  expect(new Set(timesOf(10, 10 * segment, true, 0))).toEqual(new Set([0]));
});

it("waits for nothing unless it is asked", () => {
  const pacer = new Pacer({ bytes: segment });
  pacer.sent(100 * segment, 10 * segment, false, 100, 0);
  expect(pacer.deadline).toBe(Number.POSITIVE_INFINITY);
  expect(pacer.allows(0)).toBe(false);
  expect(Number.isFinite(pacer.deadline)).toBe(true);
});
