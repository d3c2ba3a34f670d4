import { countText } from "@slipway/runtime";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const monthMs = 30 * dayMs;

/** Units, each from the shortest distance that it expresses. A token of 30d expires in 30 days, not in a month. */
const units = [
  { name: "year", ms: 365 * dayMs, fromMs: 365 * dayMs },
  { name: "month", ms: monthMs, fromMs: 2 * monthMs },
  { name: "day", ms: dayMs, fromMs: dayMs },
  { name: "hour", ms: hourMs, fromMs: hourMs },
  { name: "minute", ms: minuteMs, fromMs: minuteMs },
] as const;

/**
 * Formats a time relative to `now` (both in milliseconds since the epoch): "3 hours ago", "in 30 days". Past times are
 * rounded down; future ones to the nearest unit, as most were just set to a round number.
 */
export function relativeTime(then: number, now: number): string {
  return then <= now ? pastText(now - then) : futureText(then - now);
}

function pastText(distance: number): string {
  const unit = units.find(({ fromMs }) => distance >= fromMs);
  return unit === undefined
    ? "just now"
    : `${countText(Math.floor(distance / unit.ms), unit.name)} ago`;
}

function futureText(distance: number): string {
  // A little less than a unit counts as the unit: 59 minutes and 50 seconds are an hour.
  const unit = units.find(({ ms, fromMs }) => distance >= fromMs - ms / 60);
  return unit === undefined
    ? "in under a minute"
    : `in ${countText(Math.round(distance / unit.ms), unit.name)}`;
}

/** Formats a future time with its day, in the time zone of this machine: "Sun, 29 Nov 2026, 17:05". */
export function clockTime(ms: number): string {
  return new Intl.DateTimeFormat("en-GB", {
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
  }).format(ms);
}
