import { expect, it } from "vitest";

import { TokenBucket } from "./token-bucket.ts";

it("allows a burst and then a rate, however long it was idle", () => {
  const bucket = new TokenBucket({ burst: 3, perSecond: 2 });
  const count = (now: number): number => {
    let taken = 0;
    while (bucket.take(now)) taken += 1;
    return taken;
  };
  expect(count(1000)).toBe(3);
  expect(count(1400)).toBe(0);
  expect(count(1500)).toBe(1);
  expect(count(2500)).toBe(2);
  expect(count(1_000_000)).toBe(3);
});
