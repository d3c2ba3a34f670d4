import { describe, expect, it } from "vitest";

import { clockTime, relativeTime } from "./relative-time.ts";

const now = Date.parse("2026-01-01T00:00:00Z");
const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

it.each([
  [now, "just now"],
  [now - 59_999, "just now"],
  [now - minuteMs, "1 minute ago"],
  [now - 119 * minuteMs, "1 hour ago"],
  [now - 3 * dayMs, "3 days ago"],
  [now - 59 * dayMs, "59 days ago"],
  [now - 61 * dayMs, "2 months ago"],
  [now - 364 * dayMs, "12 months ago"],
  [now - 800 * dayMs, "2 years ago"],
  [now + 1, "in under a minute"],
  [now + 58_000, "in under a minute"],
  [now + minuteMs, "in 1 minute"],
  [now + 5 * minuteMs, "in 5 minutes"],
])("formats %d as: %s", (then, text) => {
  expect(relativeTime(then, now)).toBe(text);
});

describe("a time that was just set", () => {
  it.each([
    [minuteMs, "in 1 minute"],
    [60 * minuteMs, "in 1 hour"],
    [8 * 60 * minuteMs, "in 8 hours"],
    [dayMs, "in 1 day"],
    [7 * dayMs, "in 7 days"],
    [30 * dayMs, "in 30 days"],
    [60 * dayMs, "in 2 months"],
    [90 * dayMs, "in 3 months"],
    [365 * dayMs, "in 1 year"],
  ])("%d ms ahead is still %s a second later", (distance, text) => {
    expect(relativeTime(now + distance, now)).toBe(text);
    expect(relativeTime(now + distance - 1_000, now)).toBe(text);
  });
});

it("never tells more of one unit than of the next", () => {
  const most = new Map([
    ["minute", 60],
    ["hour", 24],
    ["day", 60],
    ["month", 12],
  ]);
  for (let distance = minuteMs; distance < 400 * dayMs; distance = Math.ceil(distance * 1.003)) {
    const [, count = "0", unit = ""] =
      /^in (\d+) (\w+?)s?$/.exec(relativeTime(now + distance, now)) ?? [];
    expect(Number(count), `${distance} ms`).toBeGreaterThan(0);
    expect(Number(count)).toBeLessThanOrEqual(most.get(unit) ?? 1);
  }
});

it("formats the time of a clock with its day", () => {
  expect(clockTime(now + 30 * 60_000)).toMatch(/^\w{3},? \d{1,2} \w{3} 202[56],? (at )?\d\d:\d\d$/);
});
