import { describe, expect, it } from "vitest";

import { RateLimiter, RecentKeys } from "./rate-limit.ts";

/** Returns a limiter on a manual clock. */
function limiterAt(start: number) {
  let now = start;
  const limiter = new RateLimiter({ now: () => now });
  const send = (count: number, key = "a", limit = 10): number =>
    Array.from({ length: count }, () => limiter.count(key, limit)).filter(
      ({ isExceeded }) => !isExceeded,
    ).length;
  return { limiter, send, at: (ms: number) => void (now = ms) };
}

describe("RateLimiter", () => {
  it("lets through as many as the limit, and tells how many are left", () => {
    const { limiter, send } = limiterAt(120_000);
    expect(limiter.count("a", 10)).toEqual({ isExceeded: false, remaining: 9, resetAt: 180 });
    expect(send(20)).toBe(9);
    expect(limiter.count("a", 10)).toEqual({ isExceeded: true, remaining: 0, resetAt: 180 });
  });

  it("takes back what should not have counted, and no more", () => {
    const { limiter, send } = limiterAt(120_000);
    limiter.takeBack("a");
    expect(send(11)).toBe(10);
    limiter.takeBack("a");
    limiter.takeBack("a");
    expect(send(11)).toBe(2);
  });

  it("counts each key apart", () => {
    const { send } = limiterAt(120_000);
    expect([send(11, "a"), send(11, "b")]).toEqual([10, 10]);
  });

  it("lets the minute before count by its share of the last 60 seconds", () => {
    const { send, at } = limiterAt(120_000);
    send(10);
    at(180_000);
    expect(send(5)).toBe(0);
    at(195_000);
    expect(send(10)).toBe(3);
    at(300_000);
    expect(send(20)).toBe(10);
  });

  it("forgets after two minutes, however many callers there were", () => {
    const { limiter, at } = limiterAt(120_000);
    for (let caller = 0; caller < 60_000; caller += 1) limiter.count(`caller ${caller}`, 10);
    expect(limiter.size).toBe(50_000);
    at(180_000);
    limiter.count("a", 10);
    at(240_000);
    limiter.count("a", 10);
    expect(limiter.size).toBe(2);
  });
});

it("remembers a key for its time, and is empty only when no key is remembered", () => {
  let now = 5_000;
  const keys = new RecentKeys<string>({ now: () => now }, 1_000);
  expect(keys.isEmpty).toBe(true);
  keys.set("a", "first");
  now += 600;
  keys.set("b", "second");
  now += 399;
  expect([keys.get("a"), keys.get("b"), keys.isEmpty]).toEqual(["first", "second", false]);
  now += 1;
  expect([keys.get("a"), keys.get("b"), keys.isEmpty]).toEqual([undefined, "second", false]);
  now += 600;
  expect([keys.get("b"), keys.isEmpty]).toEqual([undefined, true]);
});
