import { describe, expect, it } from "vitest";

import { TokenBucket, TokenBuckets } from "./token-bucket.ts";

function countTaken(bucket: TokenBucket, nowMs: number): number {
  let taken = 0;
  while (bucket.tryTake(1, nowMs)) taken += 1;
  return taken;
}

describe("TokenBucket", () => {
  it("allows a burst and then a rate, however long it was idle", () => {
    const bucket = new TokenBucket({ burst: 3, perSecond: 2 });
    expect(countTaken(bucket, 1000)).toBe(3);
    expect(countTaken(bucket, 1400)).toBe(0);
    expect(countTaken(bucket, 1500)).toBe(1);
    expect(countTaken(bucket, 2500)).toBe(2);
    expect(countTaken(bucket, 1_000_000)).toBe(3);
  });

  it("takes all of a count or nothing", () => {
    const bucket = new TokenBucket({ burst: 10, perSecond: 1 });
    expect(bucket.tryTake(11, 0)).toBe(false);
    expect(bucket.tryTake(10, 0)).toBe(true);
  });

  it("says how long a debt takes to pay", () => {
    const bucket = new TokenBucket({ burst: 10, perSecond: 4 });
    expect(bucket.take(10, 0)).toBe(0);
    expect(bucket.take(2, 0)).toBe(500);
    expect(bucket.take(0, 250)).toBe(250);
    expect(bucket.left(250)).toBe(-1);
    expect(bucket.take(0, 500)).toBe(0);
  });

  it("gains nothing from a clock that steps back", () => {
    const bucket = new TokenBucket({ burst: 1, perSecond: 1 });
    expect(countTaken(bucket, 5000)).toBe(1);
    expect(countTaken(bucket, 4000)).toBe(0);
    expect(countTaken(bucket, 5900)).toBe(0);
  });
});

describe("TokenBuckets", () => {
  it("counts each name by itself", () => {
    const buckets = new TokenBuckets({ burst: 2, perSecond: 1 }, 10);
    expect(countTaken(buckets.of("a", 0), 0)).toBe(2);
    expect(countTaken(buckets.of("b", 0), 0)).toBe(2);
    expect(countTaken(buckets.of("a", 1000), 1000)).toBe(1);
  });

  it("lets names beyond the maximum share one budget until others are full again", () => {
    const buckets = new TokenBuckets({ burst: 2, perSecond: 1 }, 1);
    expect(countTaken(buckets.of("a", 0), 0)).toBe(2);
    expect(countTaken(buckets.of("b", 0), 0)).toBe(2);
    expect(countTaken(buckets.of("c", 0), 0)).toBe(0);
    expect(countTaken(buckets.of("d", 5000), 5000)).toBe(2);
    expect(buckets.of("d", 5000)).toBe(buckets.of("d", 5000));
  });
});
