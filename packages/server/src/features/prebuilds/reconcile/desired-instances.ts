import { isTimezone, type WallClock, windowHolds, windowsOverlap } from "@slipway/template";

import type { Pool } from "./snapshot.ts";

/** Returns the number of prebuilds that a pool should have at a time (docs/protocol/prebuilds.md §2.4). */
export function desiredInstances(pool: Pool, nowMs: number): number {
  if (!pool.isActive) return 0;
  const { windows, schedulingTimezone } = pool;
  if (windows.length === 0 || !isTimezone(schedulingTimezone) || overlap(windows)) {
    return pool.desiredInstances;
  }
  const time = wallClock(nowMs, schedulingTimezone);
  return windows.find(({ cron }) => windowHolds(cron, time))?.instances ?? pool.desiredInstances;
}

/** Returns whether windows overlap. A push refuses such windows; rows of an older server may still have them. */
function overlap(windows: Pool["windows"]): boolean {
  return windows.some((one, index) =>
    windows.slice(index + 1).some((other) => windowsOverlap(one.cron, other.cron)),
  );
}

const weekdays: readonly string[] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

function wallClock(ms: number, timeZone: string): WallClock {
  const parts = new Map(
    new Intl.DateTimeFormat("en-US", {
      timeZone,
      hourCycle: "h23",
      hour: "numeric",
      day: "numeric",
      month: "numeric",
      weekday: "short",
    })
      .formatToParts(ms)
      .map(({ type, value }) => [type, value]),
  );
  return {
    hour: Number(parts.get("hour")),
    day: Number(parts.get("day")),
    month: Number(parts.get("month")),
    weekday: weekdays.indexOf(parts.get("weekday") ?? ""),
  };
}
