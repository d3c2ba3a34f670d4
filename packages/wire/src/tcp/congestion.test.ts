import { expect, it } from "vitest";

import { Congestion } from "./congestion.ts";
import type { AckedData } from "./congestion.ts";

const segment = 1000;

function acked(segments: number): AckedData {
  const bytes = segments * segment;
  return { bytes, una: 0, sentEnd: bytes, rttMs: 20, smoothedRttMs: 20 };
}

it("starts with ten segments and grows by what is acknowledged", () => {
  const congestion = new Congestion({ bytes: segment });
  expect(congestion.window).toBe(10 * segment);
  congestion.grow(acked(2), 0);
  expect(congestion.window).toBe(12 * segment);
  expect(congestion.isSlowStart).toBe(true);
});

it("starts with less than ten segments if they are large, and with two at least", () => {
  expect(new Congestion({ bytes: 1460 }).window).toBe(14_600);
  expect(new Congestion({ bytes: 5000 }).window).toBe(14_600);
  expect(new Congestion({ bytes: 9000 }).window).toBe(18_000);
});

it("comes down to seven tenths after a loss, and to two segments at least", () => {
  const congestion = new Congestion({ bytes: segment });
  congestion.reduce();
  expect(congestion.threshold).toBe(7 * segment);
  congestion.setWindow(segment);
  congestion.reduce();
  expect(congestion.threshold).toBe(2 * segment);
});

it("starts slowly after a timeout, up to the threshold", () => {
  const congestion = new Congestion({ bytes: segment });
  congestion.reduce();
  congestion.setWindow(segment);
  congestion.grow(acked(4), 0);
  expect(congestion.window).toBe(5 * segment);
  congestion.grow(acked(4), 0);
  expect(congestion.window).toBe(7 * segment);
  expect(congestion.isSlowStart).toBe(false);
  congestion.grow(acked(1), 10);
  expect(congestion.window).toBeGreaterThan(7 * segment);
  expect(congestion.window).toBeLessThan(8 * segment);
});

it("takes a decrease back once", () => {
  const congestion = new Congestion({ bytes: segment });
  congestion.reduce();
  congestion.setWindow(segment);
  congestion.restore();
  expect([congestion.window, congestion.threshold]).toEqual([
    10 * segment,
    Number.POSITIVE_INFINITY,
  ]);
  congestion.setWindow(segment);
  congestion.restore();
  expect(congestion.window).toBe(segment);
});

it("halves for each timeout of idle time, to ten segments at least", () => {
  const congestion = new Congestion({ bytes: segment });
  congestion.setWindow(100 * segment);
  congestion.idle(499, 500);
  expect(congestion.window).toBe(100 * segment);
  congestion.idle(1000, 500);
  expect(congestion.window).toBe(25 * segment);
  congestion.idle(60_000, 500);
  expect(congestion.window).toBe(10 * segment);
  congestion.setWindow(3 * segment);
  congestion.idle(60_000, 500);
  expect(congestion.window).toBe(3 * segment);
});

it("gives up for noise what the path has lost", () => {
  const congestion = new Congestion({ bytes: segment });
  congestion.lose(segment, 20 * segment);
  expect(congestion.window).toBe(9.5 * segment);
  expect(congestion.isSlowStart).toBe(true);
});
