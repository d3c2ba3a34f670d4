import { expect, it } from "vitest";

import { TokenBuckets } from "./token-buckets.ts";

function take(buckets: TokenBuckets, name: string, now: number): number {
  let taken = 0;
  while (buckets.take(name, now)) taken += 1;
  return taken;
}

it("gives a burst at once, then as many as the rate", () => {
  const buckets = new TokenBuckets({ perSecond: 20, burst: 5 }, 10);
  expect(take(buckets, "a", 0)).toBe(5);
  expect(take(buckets, "b", 0)).toBe(5);
  expect(take(buckets, "a", 100)).toBe(2);
  expect(take(buckets, "a", 10_000)).toBe(5);
});

it("holds no more names than the limit, and forgets those that it need not keep", () => {
  const buckets = new TokenBuckets({ perSecond: 20, burst: 5 }, 3);
  for (const name of ["a", "b", "c"]) expect(buckets.take(name, 0)).toBe(true);
  expect(buckets.take("d", 0)).toBe(false);
  expect(buckets.take("a", 200)).toBe(true);
  expect(buckets.take("d", 251)).toBe(true);
  expect(buckets.take("e", 251)).toBe(true);
  expect(buckets.take("f", 251)).toBe(false);
});
