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
  return <TimeAt time={time} now={useNow()} />;
}

/** A point in time relative to another, for lists that renew the time of all their rows at once. */
export function TimeAt({ time, now }: { readonly time: string; readonly now: Date }): ReactNode {
  const date = new Date(time);
  return (
    <time dateTime={time} title={absolute.format(date)} className="whitespace-nowrap">
      {relativeTime(date, now)}
    </time>
  );
}
