import { expect, it } from "vitest";

import { relativeTime } from "./relative-time.ts";

const now = Date.parse("2026-01-01T00:00:00Z");
const minuteMs = 60_000;

it.each([
  [now, "just now"],
  [now - 59_999, "just now"],
  [now - minuteMs, "1 minute ago"],
  [now - 119 * minuteMs, "1 hour ago"],
  [now - 3 * 24 * 60 * minuteMs, "3 days ago"],
  [now - 800 * 24 * 60 * minuteMs, "2 years ago"],
  [now + 5 * minuteMs, "in 5 minutes"],
])("formats %d as: %s", (then, text) => {
  expect(relativeTime(then, now)).toBe(text);
});
