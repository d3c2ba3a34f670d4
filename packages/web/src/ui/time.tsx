import { type ReactNode, useEffect, useState } from "react";

import { relativeTime } from "./time-text.ts";

const absolute = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** The current time, renewed at an interval. */
export function useNow(intervalMs = 30_000): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), intervalMs);
    return () => clearInterval(timer);
  }, [intervalMs]);
  return now;
}

/** A point in time relative to now, with the exact one as a tooltip. `time` is an RFC 3339 timestamp. */
export function Time({ time }: { readonly time: string }): ReactNode {
  const now = useNow();
  const date = new Date(time);
  return (
    <time dateTime={time} title={absolute.format(date)} className="whitespace-nowrap">
      {relativeTime(date, now)}
    </time>
  );
}
