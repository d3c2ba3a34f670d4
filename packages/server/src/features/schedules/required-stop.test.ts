import type { Weekday } from "@slipway/api/templates/template";
import { weekdays } from "@slipway/api/templates/template";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { nextRequiredStop } from "./required-stop.ts";

const at = (time: string): number => Date.parse(`${time}:00Z`);
const next = (days: readonly Weekday[], weeks: number, now: string): string | undefined => {
  const ms = nextRequiredStop({ days, weeks }, at(now));
  return ms === undefined ? undefined : new Date(ms).toISOString().slice(0, 16);
};

describe("the next required stop", () => {
  // 2026-03-02 is a Monday, 165 weeks after the first.
  it.each([
    [["monday"], 1, "2026-02-27T12:00", "2026-03-02T00:00"],
    [["monday"], 1, "2026-03-02T00:00", "2026-03-09T00:00"],
    [["sunday"], 1, "2026-03-01T00:00", "2026-03-08T00:00"],
    [["wednesday", "friday"], 1, "2026-03-04T08:00", "2026-03-06T00:00"],
    [["monday"], 5, "2026-02-27T12:00", "2026-03-02T00:00"],
    [["monday"], 5, "2026-03-02T12:00", "2026-04-06T00:00"],
    [["friday"], 5, "2026-03-07T12:00", "2026-04-10T00:00"],
    [["tuesday"], 2, "2026-03-02T12:00", "2026-03-10T00:00"],
  ] as const)("on %j every %i weeks, after %s, is %s", (days, weeks, now, wanted) => {
    expect(next(days, weeks, now)).toBe(wanted);
  });

  it("leaves an hour to what has just started", () => {
    expect(next(["monday"], 1, "2026-03-01T23:00")).toBe("2026-03-02T00:00");
    expect(next(["monday"], 1, "2026-03-01T23:01")).toBe("2026-03-09T00:00");
  });

  it("is none without days", () => {
    expect(next([], 1, "2026-03-02T12:00")).toBeUndefined();
  });

  it("exists for any days and weeks, and is the same until it comes near", () => {
    const days = fc.subarray([...weekdays], { minLength: 1 });
    const time = fc.integer({ min: at("2020-01-01T00:00"), max: at("2060-01-01T00:00") });
    fc.assert(
      fc.property(days, fc.integer({ min: 1, max: 16 }), time, (chosen, weeks, now) => {
        const rule = { days: chosen, weeks };
        const stop = nextRequiredStop(rule, now) ?? 0;
        expect(stop - now).toBeGreaterThanOrEqual(3_600_000);
        expect(stop - now).toBeLessThanOrEqual((weeks * 7 + 1) * 86_400_000);
        expect(nextRequiredStop(rule, stop - 3_600_000)).toBe(stop);
        expect(chosen).toContain(weekdays[(new Date(stop).getUTCDay() + 6) % 7]);
      }),
    );
  });
});
