import { expect, it } from "vitest";

import { ByteBudget } from "./byte-budget.ts";

it("gives bytes up to the burst at once, and then at its rate", () => {
  const budget = new ByteBudget(1_000, 500, 0);
  expect([budget.tryTake(400, 0), budget.tryTake(200, 0), budget.tryTake(100, 0)]).toEqual([
    true,
    false,
    true,
  ]);
  expect([budget.tryTake(200, 100), budget.tryTake(200, 200)]).toEqual([false, true]);
  expect([budget.tryTake(501, 60_000), budget.tryTake(500, 60_000)]).toEqual([false, true]);
});
