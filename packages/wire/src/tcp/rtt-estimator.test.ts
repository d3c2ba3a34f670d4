import { expect, it } from "vitest";

import { RttEstimator } from "./rtt-estimator.ts";

it("waits one second before the first measurement", () => {
  expect(new RttEstimator().timeout).toBe(1000);
});

it("waits three times the first RTT, and 200 ms beyond it at least", () => {
  const slow = new RttEstimator();
  slow.measured(500, 1, 0);
  expect(slow.timeout).toBe(1500);
  const fast = new RttEstimator();
  fast.measured(10, 1, 0);
  expect(fast.timeout).toBe(210);
});

it("smooths by an eighth and a quarter with one sample a round trip (RFC 6298 §2.3)", () => {
  const rtt = new RttEstimator();
  rtt.measured(100, 1, 0);
  rtt.measured(180, 1, 0);
  expect(rtt.smoothed).toBe(110);
  expect(rtt.timeout).toBe(110 + 4 * (50 + (80 - 50) / 4));
});

it("smooths as slowly with many samples a round trip", () => {
  const rtt = new RttEstimator();
  rtt.measured(100, 100, 0);
  for (let count = 0; count < 100; count += 1) rtt.measured(200, 100, 0);
  expect(rtt.smoothed).toBeGreaterThan(110);
  expect(rtt.smoothed).toBeLessThan(113);
});

it("doubles up to ten seconds, until there is progress", () => {
  const rtt = new RttEstimator();
  rtt.measured(10, 1, 0);
  rtt.backOff();
  expect(rtt.timeout).toBe(420);
  for (let count = 0; count < 100; count += 1) rtt.backOff();
  expect(rtt.timeout).toBe(10_000);
  rtt.resetBackoff();
  expect(rtt.timeout).toBe(210);
});

it("believes the lowest RTT for five minutes", () => {
  const rtt = new RttEstimator();
  rtt.measured(10, 1, 0);
  rtt.measured(30, 1, 299_000);
  expect(rtt.lowest).toBe(10);
  rtt.measured(30, 1, 301_000);
  expect(rtt.lowest).toBe(30);
});
