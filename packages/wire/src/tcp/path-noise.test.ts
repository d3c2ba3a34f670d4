import { expect, it } from "vitest";

import { PathNoise } from "./path-noise.ts";

const segment = 1000;
const lowest = 20;

/** A path with these latest RTTs. */
function pathWith(...rttsMs: readonly number[]): PathNoise {
  const noise = new PathNoise({ bytes: segment });
  for (const rttMs of rttsMs) noise.acknowledged(0, 1, rttMs);
  return noise;
}

const empty = [20.1, 20.1, 20.2, 20.1] as const;

it("puts a loss down to noise while the queue is empty", () => {
  expect(pathWith(...empty).explains(segment, 200 * segment, lowest)).toBe(true);
});

it("puts it down to congestion when the RTT has risen", () => {
  const noise = pathWith(21, 22, 23, 23);
  expect(noise.explains(segment, 200 * segment, lowest)).toBe(false);
});

it("takes no notice of one late ACK", () => {
  expect(pathWith(20.1, 40, 20.1, 20.1).explains(segment, 200 * segment, lowest)).toBe(true);
});

it("allows for more delay where the RTT is longer", () => {
  const noise = pathWith(201, 201, 202, 202);
  expect(noise.explains(segment, 200 * segment, 200)).toBe(true);
});

it("puts a loss of more than a sixteenth in two rounds down to congestion", () => {
  const noise = pathWith(...empty);
  const flight = 160 * segment;
  noise.acknowledged(1, 100, 20.1);
  expect(noise.explains(5 * segment, flight, lowest)).toBe(true);
  noise.acknowledged(100, 200, 20.1);
  expect(noise.explains(5 * segment, flight, lowest)).toBe(true);
  expect(noise.explains(segment, flight, lowest)).toBe(false);
  noise.acknowledged(200, 300, 20.1);
  noise.acknowledged(300, 400, 20.1);
  expect(noise.explains(segment, flight, lowest)).toBe(true);
});

it("allows for one segment in a small flight, not for two", () => {
  const noise = pathWith(...empty);
  expect(noise.explains(segment, 5 * segment, lowest)).toBe(true);
  expect(noise.explains(segment, 5 * segment, lowest)).toBe(false);
});
