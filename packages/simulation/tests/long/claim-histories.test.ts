import { searchHistories } from "@slipway/simulation/claim-histories";
import { expect, inject, it } from "vitest";

/**
 * The number of histories for a few seconds; `npm run test:claim-histories` plays thousands and prints the steps of
 * one.
 */
const count = 12;

it("plays histories that the simulation's model and PostgreSQL tell alike", async () => {
  const { steps, found } = await searchHistories(inject("postgresUrl"), {
    from: 1,
    count,
    jobs: 2,
  });
  expect(found.map(({ seed, history }) => ({ seed, differences: history.differences }))).toEqual(
    [],
  );
  expect(steps).toBeGreaterThan(count * 50);
}, 120_000);
