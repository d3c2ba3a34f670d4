const units = [
  { name: "year", ms: 365 * 86_400_000 },
  { name: "month", ms: 30 * 86_400_000 },
  { name: "day", ms: 86_400_000 },
  { name: "hour", ms: 3_600_000 },
  { name: "minute", ms: 60_000 },
] as const;

/** Formats a time relative to `now` (both in milliseconds since the epoch): "3 hours ago". */
export function relativeTime(then: number, now: number): string {
  const distance = Math.abs(now - then);
  const unit = units.find(({ ms }) => distance >= ms);
  if (unit === undefined) return "just now";
  const count = Math.floor(distance / unit.ms);
  const text = `${count} ${unit.name}${count === 1 ? "" : "s"}`;
  return then <= now ? `${text} ago` : `in ${text}`;
}
