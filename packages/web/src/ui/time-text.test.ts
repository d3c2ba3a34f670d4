import { describe, expect, it } from "vitest";

import { duration, relativeTime } from "./time-text.ts";

const now = new Date("2026-11-30T12:00:00Z");

describe("relativeTime", () => {
  it.each([
    ["2026-11-30T11:59:30Z", "just now"],
    ["2026-11-30T12:00:30Z", "in less than a minute"],
    ["2026-11-30T11:58:00Z", "2 minutes ago"],
    ["2026-11-30T15:00:00Z", "in 3 hours"],
    ["2026-11-29T12:00:00Z", "yesterday"],
    ["2026-11-01T12:00:00Z", "29 days ago"],
    ["2026-06-30T12:00:00Z", "5 months ago"],
  ])("words %s as %s", (time, words) => {
    expect(relativeTime(new Date(time), now)).toBe(words);
  });
});

describe("duration", () => {
  it.each([
    [-5, "0 ms"],
    [12.4, "12 ms"],
    [1500, "1.5 s"],
    [999.6, "999 ms"],
    [9_960, "9.9 s"],
    [59_600, "59 s"],
    [60_000, "1 min"],
    [125_000, "2 min 5 s"],
    [3_600_000, "1 h"],
    [7_500_000, "2 h 5 min"],
    [90_000_000, "1 d 1 h"],
  ])("words %d ms as %s", (ms, words) => {
    expect(duration(ms)).toBe(words);
  });
});
