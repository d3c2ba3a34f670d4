import { expect, it } from "vitest";

import { PathSize } from "./path-size.ts";

/** Answers the probes that are due at a time, unless they exceed the length that arrives; returns their lengths. */
function probe(size: PathSize, now: number, arrives = 65_535): readonly number[] {
  const lengths: number[] = [];
  for (let bytes = size.take(now); bytes !== undefined; bytes = size.take(now)) {
    lengths.push(bytes);
    if (bytes <= arrives) size.answered(bytes, now);
    if (lengths.length > 10) throw new Error("probes without end");
  }
  return lengths;
}

it("proves one length after the other", () => {
  const size = new PathSize();
  expect(size.bytes).toBe(1312);
  expect(probe(size, 0)).toEqual([1440, 8832, 16_416]);
  expect(size.bytes).toBe(16_416);
});

it("stays with what has arrived, and gives the next length up after three probes", () => {
  const size = new PathSize();
  expect(probe(size, 0, 1500)).toEqual([1440, 8832]);
  expect(probe(size, 2999, 1500)).toEqual([]);
  expect(probe(size, 3000, 1500)).toEqual([8832]);
  expect(probe(size, 6000, 1500)).toEqual([8832]);
  for (let now = 9000; now < 600_000; now += 3000) expect(probe(size, now, 1500)).toEqual([1440]);
  expect(size.bytes).toBe(1440);
  expect(probe(size, 612_000)).toEqual([8832, 16_416]);
});

it("says nothing for ten minutes where nothing longer arrives", () => {
  const size = new PathSize();
  for (const now of [0, 3000, 6000]) expect(probe(size, now, 1312)).toEqual([1440]);
  for (let now = 9000; now < 609_000; now += 3000) expect(probe(size, now, 1312)).toEqual([]);
  expect(probe(size, 609_000, 1312)).toEqual([1440]);
});

it("falls to the least as soon as one of the present length is lost, and searches anew", () => {
  const size = new PathSize();
  probe(size, 0);
  expect(probe(size, 3000)).toEqual([16_416]);
  expect(size.take(6000)).toBe(16_416);
  expect(size.bytes).toBe(16_416);
  expect(probe(size, 9000, 1500)).toEqual([1440, 8832]);
  expect(size.bytes).toBe(1440);
});

it("falls at once when one of the present length had to be cut", () => {
  const size = new PathSize();
  probe(size, 0);
  expect(size.take(3000)).toBe(16_416);
  size.missed(16_416, 3000);
  expect(size.bytes).toBe(1312);
  size.missed(16_416, 3000);
  expect(size.take(3000)).toBe(1440);
});

it("believes an answer that comes late", () => {
  const size = new PathSize();
  expect(size.take(0)).toBe(1440);
  expect(size.take(3000)).toBe(1440);
  size.answered(1440, 3001);
  expect([size.bytes, size.take(3001)]).toEqual([1440, 8832]);
});

it("takes nothing from an answer to what it does not try", () => {
  const size = new PathSize();
  size.take(0);
  size.answered(60_000, 1);
  size.answered(1310, 1);
  expect(size.bytes).toBe(1312);
});
