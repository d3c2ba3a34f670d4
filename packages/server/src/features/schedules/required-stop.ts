import type { Weekday } from "@slipway/api/templates/template";
import { weekdays } from "@slipway/api/templates/template";

/** The nights in which a template's workspaces must stop: those before the given days, in every `weeks`-th week. */
export interface RequiredStops {
  readonly days: readonly Weekday[];
  readonly weeks: number;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** The Monday from which weeks are counted, so that all workspaces stop in the same week. */
const firstMonday = Date.UTC(2023, 0, 2);
/** A workspace that has just started is not stopped again within this time. */
const leewayMs = hourMs;

/**
 * Returns the next midnight, in UTC, at which a workspace that runs at `now` must stop; undefined without days. Both are
 * milliseconds since the epoch.
 */
export function nextRequiredStop({ days, weeks }: RequiredStops, now: number): number | undefined {
  const first = Math.ceil((now + leewayMs - firstMonday) / dayMs);
  const count = weekdays.length * (weeks + 1);
  const next = Array.from({ length: count }, (_, index) => first + index).find((day) => {
    const weekday = weekdays[modulo(day, weekdays.length)];
    const week = Math.floor(day / weekdays.length);
    return weekday !== undefined && days.includes(weekday) && modulo(week, weeks) === 0;
  });
  return next === undefined ? undefined : firstMonday + next * dayMs;
}

/** Returns a remainder that is never negative, for times before the first Monday. */
function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
