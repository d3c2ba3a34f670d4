const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** Returns a point in time relative to now, such as "3 hours ago". */
export function relativeTime(date: Date, now: Date): string {
  const ms = date.getTime() - now.getTime();
  const size = Math.abs(ms);
  if (size < minuteMs) return ms > 0 ? "in less than a minute" : "just now";
  if (size < hourMs) return relative.format(Math.round(ms / minuteMs), "minute");
  if (size < dayMs) return relative.format(Math.round(ms / hourMs), "hour");
  if (size < 60 * dayMs) return relative.format(Math.round(ms / dayMs), "day");
  return relative.format(Math.round(ms / (30 * dayMs)), "month");
}

/** Returns the length of a period with its two largest units, such as "2 h 5 min". */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.floor(ms))} ms`;
  if (ms < 10_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  if (ms < minuteMs) return `${Math.floor(ms / 1000)} s`;
  const [large, small, largeMs, smallMs] =
    ms < hourMs
      ? ["min", "s", minuteMs, 1000]
      : ms < dayMs
        ? ["h", "min", hourMs, minuteMs]
        : ["d", "h", dayMs, hourMs];
  const wholes = Math.floor(ms / largeMs);
  const rest = Math.floor((ms % largeMs) / smallMs);
  return rest === 0 ? `${wholes} ${large}` : `${wholes} ${large} ${rest} ${small}`;
}
