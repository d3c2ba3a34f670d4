import { expect, it } from "vitest";

import { mapOf, nodeAt, regionOf } from "../../tests/support/regions.ts";
import { chooseHome, type HomeChoice } from "./home-region.ts";
import type { LatencyReport } from "./region-latency.ts";

const map = mapOf(
  regionOf(1, nodeAt(1)),
  regionOf(2, nodeAt(2)),
  regionOf(3, nodeAt(3, { isStunOnly: true })),
  regionOf(4, nodeAt(4)),
);

function reportOf(latencies: Readonly<Record<number, number>>): LatencyReport {
  return new Map(
    Object.entries(latencies).map(([id, latencyMs]) => [Number(id), { latencyMs, family: "v4" }]),
  );
}

function choose(
  latencies: readonly Readonly<Record<number, number>>[],
  changes: Partial<HomeChoice> = {},
): number | undefined {
  const reports = latencies.map((one, at) => ({ atMs: at * 1_000, report: reportOf(one) }));
  const nowMs = latencies.length * 1_000;
  return chooseHome({ map, reports, current: undefined, nowMs, processNumber: 0, ...changes });
}

it("takes the nearest region that relays", () => {
  expect(choose([{ 1: 30, 2: 20, 3: 1, 9: 1 }])).toBe(2);
});

it("takes the best value of five minutes, of regions that the newest report has", () => {
  expect(
    choose([
      { 1: 5, 4: 1 },
      { 1: 90, 2: 40 },
    ]),
  ).toBe(1);
  expect(choose([{ 1: 5 }, { 1: 90, 2: 40 }], { nowMs: 301_000 })).toBe(2);
});

it("counts a latency by the score of its region", () => {
  expect(choose([{ 1: 30, 2: 20 }], { map: { ...map, scores: new Map([[1, 0.5]]) } })).toBe(1);
});

it.each([
  // Less than 10 ms nearer.
  [{ 1: 12, 2: 3 }, 1],
  // Nearer by 10 ms and a third.
  [{ 1: 30, 2: 20 }, 2],
  // Nearer by 10 ms, but not by a third.
  [{ 1: 100, 2: 70 }, 1],
  [{ 1: 100, 2: 66 }, 2],
  // The current home did not respond.
  [{ 2: 500 }, 2],
])("leaves a home only for a region that is much nearer: %o", (latencies, wanted) => {
  expect(choose([latencies], { current: 1 })).toBe(wanted);
});

it("keeps its home without any result, else takes one that depends on the process", () => {
  expect(choose([{}], { current: 4 })).toBe(4);
  expect(choose([], { current: 3 })).toBe(1);
  expect(choose([{ 3: 1 }], { current: 77, processNumber: 5 })).toBe(4);
  expect(choose([], { processNumber: 1 })).toBe(2);
  expect(choose([], { map: mapOf(regionOf(3, nodeAt(3, { isStunOnly: true }))) })).toBeUndefined();
});
