import { expect, it } from "vitest";

import { spread } from "./spread.ts";

it("shortens a time by up to a third", () => {
  const times = Array.from({ length: 1_000 }, () => spread(300));
  expect(Math.max(...times)).toBeLessThanOrEqual(300);
  expect(Math.min(...times)).toBeGreaterThanOrEqual(200);
  expect(new Set(times).size).toBeGreaterThan(1);
});
