import { createFakeClock } from "@slipway/testkit";
import { expect, it, onTestFinished } from "vitest";

import type { DerpMap, DerpNode } from "../relay/derp-map.ts";
import { HomeFinder } from "./home-finder.ts";

function mapOf(...regionIds: readonly number[]): DerpMap {
  const regions = regionIds.map(
    (regionId) =>
      [
        regionId,
        {
          regionId,
          code: "",
          name: "",
          isEmbedded: false,
          shouldAvoid: false,
          nodes: [nodeOf(regionId)],
        },
      ] as const,
  );
  return { regions: new Map(regions), scores: new Map() };
}

function nodeOf(regionId: number): DerpNode {
  return {
    name: String(regionId),
    hostName: "relay.invalid",
    certName: undefined,
    ipv4: undefined,
    ipv6: undefined,
    port: 1,
    isHttp: true,
    isInsecure: false,
    isStunOnly: false,
    stunPort: undefined,
  };
}

function open(latencies: Record<number, number>) {
  const clock = createFakeClock();
  const homes: (number | undefined)[] = [];
  const state = { isActive: false, checks: 0 };
  const finder = new HomeFinder({
    clock,
    random: () => 0,
    fetchLatency: async ({ name }) => {
      state.checks += 1;
      const latencyMs = latencies[Number(name)];
      if (latencyMs === undefined) throw new Error("no answer");
      return { latencyMs, family: "v4" };
    },
    isActive: () => state.isActive,
    onHome: (regionId) => homes.push(regionId),
  });
  const stop = new AbortController();
  const running = finder.run(stop.signal);
  running.catch(() => undefined);
  onTestFinished(() => stop.abort());
  return { clock, finder, homes, state, latencies };
}

it("takes the only relay at once, and the nearest of several", async () => {
  const { clock, finder, homes } = open({ 1: 30, 2: 10 });
  finder.setMap(mapOf(1));
  expect(homes).toEqual([1]);
  await clock.advance(0);
  finder.setMap(mapOf(1, 2));
  await clock.advance(0);
  expect(homes.at(-1)).toBe(2);
  finder.setMap(mapOf());
  await clock.advance(0);
  expect(homes.at(-1)).toBeUndefined();
});

it("measures again while packets flow, and when it is told to", async () => {
  const { clock, finder, homes, state, latencies } = open({ 1: 30, 2: 10 });
  finder.setMap(mapOf(1, 2));
  await clock.advance(0);
  await clock.advance(60_000);
  expect(state.checks).toBe(2);
  state.isActive = true;
  await clock.advance(20_000);
  expect(state.checks).toBe(4);
  state.isActive = false;
  delete latencies[2];
  finder.measureSoon();
  await clock.advance(0);
  expect(homes.at(-1)).toBe(1);
});
