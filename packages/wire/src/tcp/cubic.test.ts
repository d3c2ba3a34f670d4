import { expect, it } from "vitest";

import { Cubic } from "./cubic.ts";

const segment = 1000;

/** Grows a window for a period in which each segment is acknowledged once per round trip. */
function growFor(cubic: Cubic, windowBytes: number, ms: number, rttMs: number, from = 0): number {
  let window = windowBytes;
  for (let now = from; now < from + ms; now += rttMs) {
    const flight = window;
    for (let acked = 0; acked < flight; acked += segment) {
      window = cubic.grow(window, segment, rttMs, now);
    }
  }
  return window;
}

it("is back at the old window after the cube root of the decrease", () => {
  const cubic = new Cubic({ bytes: segment });
  cubic.decreased(1000 * segment);
  // K = cbrt(1000 * 0.3 / 0.4) = 9.09 s
  const window = growFor(cubic, 700 * segment, 9_090, 100);
  expect(window / segment).toBeGreaterThan(985);
  expect(window / segment).toBeLessThan(1005);
});

it("grows fast at first, hardly at the plateau, then fast again", () => {
  const cubic = new Cubic({ bytes: segment });
  cubic.decreased(1000 * segment);
  const early = growFor(cubic, 700 * segment, 2000, 100);
  const middle = growFor(cubic, early, 4000, 100, 2000);
  const plateau = growFor(cubic, middle, 4000, 100, 6000);
  const late = growFor(cubic, plateau, 5000, 100, 10_000);
  expect(early - 700 * segment).toBeGreaterThan(100 * segment);
  expect(plateau - middle).toBeLessThan(30 * segment);
  expect(late - plateau).toBeGreaterThan(30 * segment);
});

it("grows no slower than Reno on a short path", () => {
  const cubic = new Cubic({ bytes: segment });
  cubic.decreased(20 * segment);
  // Reno with alpha 0.53 and then 1 gains a segment every one or two round trips.
  const window = growFor(cubic, 14 * segment, 200, 5);
  expect(window / segment).toBeGreaterThan(14 + 20);
});

it("remembers less than the window if the one before was higher", () => {
  const first = new Cubic({ bytes: segment });
  first.decreased(1000 * segment);
  first.decreased(800 * segment);
  const second = new Cubic({ bytes: segment });
  second.decreased(800 * segment);
  // The plateau is at 680, not at 800: it is reached sooner and grows less.
  const converged = growFor(first, 560 * segment, 5000, 100);
  const plain = growFor(second, 560 * segment, 5000, 100);
  expect(converged).toBeLessThan(plain);
});

it("leaves idle time out", () => {
  const cubic = new Cubic({ bytes: segment });
  cubic.decreased(1000 * segment);
  const before = growFor(cubic, 700 * segment, 1000, 100);
  cubic.skip(60_000);
  const after = cubic.grow(before, segment, 100, 61_000);
  expect(after - before).toBeLessThan(segment);
});

it("keeps its window when the segments change", () => {
  const size = { bytes: segment };
  const cubic = new Cubic(size);
  cubic.decreased(1000 * segment);
  const before = growFor(cubic, 700 * segment, 1000, 100);
  size.bytes = 10 * segment;
  const after = cubic.grow(before, segment, 100, 1100);
  expect(after).toBeGreaterThanOrEqual(before);
  expect(after - before).toBeLessThan(size.bytes);
});
