import { describe, expect, it } from "vitest";

import { parseAutostart } from "./schedule.ts";

function next(text: string, after: string): string | undefined {
  const parsed = parseAutostart(text);
  if ("problem" in parsed) return parsed.problem;
  const ms = parsed.schedule.nextAfter(Date.parse(after));
  return ms === undefined ? undefined : new Date(ms).toISOString();
}

describe("parseAutostart", () => {
  it.each([
    ["30 9 * * *", "2026-01-05T09:29:59Z", "2026-01-05T09:30:00.000Z"],
    ["30 9 * * *", "2026-01-05T09:30:00Z", "2026-01-06T09:30:00.000Z"],
    ["0 9 * * 1-5", "2026-01-02T12:00:00Z", "2026-01-05T09:00:00.000Z"],
    ["0 9 * * SUN", "2026-01-02T12:00:00Z", "2026-01-04T09:00:00.000Z"],
    ["CRON_TZ=Europe/Berlin 30 9 * * 1-5", "2026-01-05T00:00:00Z", "2026-01-05T08:30:00.000Z"],
    ["CRON_TZ=Europe/Berlin 30 9 * * 1-5", "2026-07-06T00:00:00Z", "2026-07-06T07:30:00.000Z"],
    ["TZ=US/Central 0 7 * * *", "2026-01-05T00:00:00Z", "2026-01-05T13:00:00.000Z"],
    ["CRON_TZ=UTC */15 * * * *", "2026-01-05T00:01:00Z", "2026-01-05T00:15:00.000Z"],
    ["5/10 9 * * 1", "2026-01-05T09:06:00Z", "2026-01-05T09:15:00.000Z"],
    ["0 9 * * 1/2", "2026-01-05T10:00:00Z", "2026-01-07T09:00:00.000Z"],
    ["? 9 * * ?", "2026-01-05T10:00:00Z", "2026-01-06T09:00:00.000Z"],
  ])("%s comes after %s at %s", (text, after, expected) => {
    expect(next(text, after)).toBe(expected);
  });

  it("comes once on the day that has an hour twice, and on the day that lacks it", () => {
    const night = "CRON_TZ=Europe/Berlin 30 2 * * *";
    expect(next(night, "2026-10-25T00:30:00Z")).toBe("2026-10-26T01:30:00.000Z");
    expect(next(night, "2026-03-28T12:00:00Z")).toBe("2026-03-29T01:00:00.000Z");
  });

  it.each([
    ["", "found 1 field,"],
    ["9 * * *", "found 4 fields"],
    ["0 30 9 * * 1-5", "found 6 fields"],
    ["30 9 1 * *", "must be *"],
    ["30 9 * 2 *", "must be *"],
    ["61 9 * * *", 'found "61" for the minute'],
    ["30 9 * * mo", "for the day of week"],
    ["*/61 9 * * *", 'found "*/61" for the minute'],
    ["0 9 * * */8", 'found "*/8" for the day of week'],
    ["@daily", "found 1 field,"],
    ["CRON_TZ=Mars/Base 30 9 * * *", 'found the time zone "Mars/Base"'],
  ])("refuses %j and says what is wrong", (text, problem) => {
    expect(next(text, "2026-01-05T00:00:00Z")).toContain(problem);
  });
});
