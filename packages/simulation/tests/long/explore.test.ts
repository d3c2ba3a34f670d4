import { explore } from "@slipway/simulation";
import { expect, it } from "vitest";

it("keeps S1 to S13 and L1 to L8 in a hundred worlds where things go wrong", async () => {
  const { seeds, steps, found } = await explore({ kind: "own" }, { from: 1, count: 100 });
  expect(found).toBeUndefined();
  expect(seeds).toBe(100);
  expect(steps).toBeGreaterThan(100_000);
});
