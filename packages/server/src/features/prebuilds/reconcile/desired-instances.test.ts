import { describe, expect, it } from "vitest";

import { desiredInstances } from "./desired-instances.ts";
import type { Pool } from "./snapshot.ts";

const pool: Pool = {
  presetId: "preset",
  isActive: true,
  desiredInstances: 1,
  schedulingTimezone: "Europe/Berlin",
  windows: [{ cron: "* 8-18 * * 1-5", instances: 5 }],
  expireAfterMs: undefined,
  lastInvalidatedAtMs: undefined,
  status: "healthy",
};

function at(time: string, changes: Partial<Pool> = {}): number {
  return desiredInstances({ ...pool, ...changes }, Date.parse(time));
}

describe("desiredInstances", () => {
  it("is the window's number inside of it, in its time zone and through the change of the clocks", () => {
    // Wednesday. Berlin is one hour ahead of UTC in winter, two in summer.
    expect(at("2026-11-25T07:00:00Z")).toBe(5);
    expect(at("2026-11-25T06:59:59Z")).toBe(1);
    expect(at("2026-11-25T17:59:59Z")).toBe(5);
    expect(at("2026-11-25T18:00:00Z")).toBe(1);
    expect(at("2026-07-22T06:00:00Z")).toBe(5);
    expect(at("2026-07-22T05:59:00Z")).toBe(1);
  });

  it("is the preset's number outside of every window", () => {
    expect(at("2026-11-28T12:00:00Z")).toBe(1);
    expect(at("2026-11-25T12:00:00Z", { windows: [] })).toBe(1);
  });

  it("takes steps, names and the midnight hour", () => {
    const windows = [{ cron: "* */6 * * WED", instances: 7 }];
    const schedulingTimezone = "UTC";
    expect(at("2026-11-25T00:30:00Z", { windows, schedulingTimezone })).toBe(7);
    expect(at("2026-11-25T01:30:00Z", { windows, schedulingTimezone })).toBe(1);
    expect(at("2026-11-25T18:30:00Z", { windows, schedulingTimezone })).toBe(7);
    expect(at("2026-11-26T18:30:00Z", { windows, schedulingTimezone })).toBe(1);
  });

  it("takes either day where both are limited", () => {
    const windows = [{ cron: "* * 1 * 0", instances: 2 }];
    const schedulingTimezone = "UTC";
    // A Tuesday on the first, a Sunday, and neither.
    expect(at("2026-12-01T12:00:00Z", { windows, schedulingTimezone })).toBe(2);
    expect(at("2026-11-29T12:00:00Z", { windows, schedulingTimezone })).toBe(2);
    expect(at("2026-11-30T12:00:00Z", { windows, schedulingTimezone })).toBe(1);
  });

  it("is the preset's number where rows make no sense", () => {
    expect(at("2026-11-25T12:00:00Z", { schedulingTimezone: "Middle/Earth" })).toBe(1);
    expect(at("2026-11-25T12:00:00Z", { schedulingTimezone: "" })).toBe(1);
    const windows = [
      { cron: "* 8-18 * * *", instances: 5 },
      { cron: "* 12 * * *", instances: 9 },
    ];
    expect(at("2026-11-25T12:00:00Z", { windows })).toBe(1);
  });

  it("is nothing for a version that is not the active one", () => {
    expect(at("2026-11-25T12:00:00Z", { isActive: false })).toBe(0);
  });
});
