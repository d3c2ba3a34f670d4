import { type BurstOptions, runBurst } from "@slipway/simulation";
import { expect, it } from "vitest";

const tenThousand: BurstOptions = {
  seed: 1,
  claims: 10_000,
  servers: 3,
  overMs: 0,
  kills: true,
  cores: 4,
  isShared: false,
};
const p95 = (times: readonly number[]): number => times[Math.floor(0.95 * times.length)] ?? NaN;

it("loses and doubles none of 10,000 claims that arrive together when a server is killed", async () => {
  const { lost, doubled, unserved, cut, busy } = await runBurst(tenThousand);
  expect({ lost, doubled, unserved }).toEqual({ lost: 0, doubled: 0, unserved: 0 });
  expect(cut).toBeGreaterThan(0);
  expect(busy).toBeGreaterThan(0);
}, 120_000);

it("serves 10,000 claims within a second each if they arrive over 15 seconds", async () => {
  const { times, busy } = await runBurst({ ...tenThousand, overMs: 15_000, kills: false });
  expect(times).toHaveLength(10_000);
  expect(p95(times)).toBeLessThan(1_000);
  expect(busy).toBe(0);
}, 120_000);
