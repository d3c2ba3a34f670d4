import { createFakeClock } from "@slipway/testkit";
import { expect, it } from "vitest";

import { mapOf, nodeAt, regionOf } from "../../tests/support/regions.ts";
import { derpLatencies, type FetchLatency, measureRegions } from "./region-latency.ts";

const { signal } = new AbortController();

it("measures the first relay of each region, and leaves out what fails", async () => {
  const map = mapOf(
    regionOf(1, nodeAt(10, { isStunOnly: true }), nodeAt(11), nodeAt(12)),
    regionOf(2, nodeAt(20, { isStunOnly: true })),
    regionOf(3, nodeAt(30)),
    regionOf(4, nodeAt(40)),
  );
  const asked: number[] = [];
  const fetchLatency: FetchLatency = async ({ port }) => {
    asked.push(port);
    if (port === 30) throw new Error("no answer");
    return { latencyMs: port, family: port === 40 ? "v6" : "v4" };
  };
  const report = await measureRegions(map, { fetchLatency, clock: createFakeClock(), signal });
  expect(asked).toEqual([11, 30, 40]);
  expect(derpLatencies(report)).toEqual({ "1-v4": 0.011, "4-v6": 0.04 });
});

it("gives up after two seconds, with what it has", async () => {
  const clock = createFakeClock();
  const regions = Array.from({ length: 100 }, (_, at) => regionOf(at + 1, nodeAt(at + 1)));
  let inFlight = 0;
  let most = 0;
  const fetchLatency: FetchLatency = async ({ port }, limit) => {
    inFlight += 1;
    most = Math.max(most, inFlight);
    try {
      await clock.sleep(port === 1 ? 100 : 60_000, limit);
    } finally {
      inFlight -= 1;
    }
    return { latencyMs: 100, family: "v4" };
  };
  const measuring = measureRegions(mapOf(...regions), { fetchLatency, clock, signal });
  await clock.advance(2_100);
  expect([...(await measuring).keys()]).toEqual([1]);
  expect([most, inFlight]).toEqual([16, 0]);
});

it("ends with the signal", async () => {
  const stop = new AbortController();
  const clock = createFakeClock();
  const fetchLatency: FetchLatency = async (_node, limit) => {
    await clock.sleep(60_000, limit);
    return { latencyMs: 1, family: "v4" };
  };
  const map = mapOf(regionOf(1, nodeAt(1)));
  const measuring = measureRegions(map, { fetchLatency, clock, signal: stop.signal });
  stop.abort(new Error("enough"));
  await expect(measuring).rejects.toThrow("enough");
});
