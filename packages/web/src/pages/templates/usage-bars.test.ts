import { expect, it } from "vitest";

import { usageBars } from "./usage-bars.ts";

it("gives each day its share of the day with the most users", () => {
  const days = [4, 0, 2].map((amount, day) => ({ date: `2026-01-0${day + 1}`, amount }));
  expect(usageBars(days).map(({ share }) => share)).toEqual([1, 0, 0.5]);
});

it("shows the last days, and none without users as empty", () => {
  const days = Array.from({ length: 100 }, (_day, index) => ({ date: String(index), amount: 0 }));
  const bars = usageBars(days);
  expect(bars).toHaveLength(60);
  expect(bars.at(-1)).toEqual({ date: "99", amount: 0, share: 0 });
});
