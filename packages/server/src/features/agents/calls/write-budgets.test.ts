import { createFakeClock } from "@slipway/testkit";
import { expect, it } from "vitest";

import { type BudgetName, writeBudgets, WriteBudgets } from "./write-budgets.ts";

const { burst, perHour } = writeBudgets.statistics;

it("lets an agent write its burst, and then as much as comes back", async () => {
  const clock = createFakeClock();
  const budgets = new WriteBudgets(clock);
  for (let count = 0; count < burst; count += 1) {
    expect(budgets.spend("a", "statistics")).toBe(1);
  }
  expect(budgets.spend("a", "statistics")).toBe(0);
  expect(budgets.spend("b", "statistics")).toBe(1);
  expect(budgets.spend("a", "timings")).toBe(1);
  await clock.advance(3_600_000 / perHour);
  expect([budgets.spend("a", "statistics"), budgets.spend("a", "statistics")]).toEqual([1, 0]);
});

it("never lets more come back than the burst", async () => {
  const clock = createFakeClock();
  const budgets = new WriteBudgets(clock);
  budgets.spend("a", "statistics");
  await clock.advance(30 * 24 * 3_600_000);
  expect(budgets.spend("a", "statistics", 10 * burst)).toBe(burst);
});

it("lets more be spent than is left, and tells how long that takes to come back", async () => {
  const clock = createFakeClock();
  const budgets = new WriteBudgets(clock);
  const { traffic } = writeBudgets;
  const perSecond = traffic.perHour / 3_600;
  expect(budgets.reserve("a", "traffic", traffic.burst)).toBe(0);
  expect(budgets.reserve("a", "traffic", perSecond)).toBe(1_000);
  expect(budgets.reserve("a", "traffic", perSecond)).toBe(2_000);
  await clock.advance(5_000);
  expect(budgets.reserve("a", "traffic", perSecond)).toBe(0);
});

it("reserves nothing that would take longer than the caller waits", () => {
  const budgets = new WriteBudgets(createFakeClock());
  const { coordinations } = writeBudgets;
  const reserve = () => budgets.reserve("a", "coordinations", 1, 1_000);
  for (let count = 0; count < coordinations.burst; count += 1) expect(reserve()).toBe(0);
  const perSecond = coordinations.perHour / 3_600;
  for (let count = 1; count <= perSecond; count += 1) {
    expect(reserve()).toBe((count * 1_000) / perSecond);
  }
  expect([reserve(), reserve()]).toEqual([1_200, 1_200]);
});

it("grants of a larger wish what is left", () => {
  const budgets = new WriteBudgets(createFakeClock());
  const most = writeBudgets.boundaryLogs.burst;
  expect(budgets.spend("a", "boundaryLogs", most - 10)).toBe(most - 10);
  expect(budgets.spend("a", "boundaryLogs", 50)).toBe(10);
});

it("forgets agents that rest, and remembers those that do not", async () => {
  const clock = createFakeClock();
  const budgets = new WriteBudgets(clock);
  const name: BudgetName = "statistics";
  for (let agent = 0; agent < 10_000; agent += 1) budgets.spend(`${agent}`, name);
  await clock.advance(3_600_000);
  budgets.spend("busy", name, burst);
  // One more than the number at which full ones are dropped.
  for (let agent = 0; agent < 10; agent += 1) budgets.spend(`late ${agent}`, name);
  expect(budgets.spend("busy", name)).toBe(0);
});
