import type { PrebuildPool } from "@slipway/api/prebuilds/routes";
import { describe, expect, it } from "vitest";

import {
  addSamples,
  claimedSince,
  largestCount,
  linePoints,
  maxSamples,
  type PoolHistory,
} from "./pool-samples.ts";

const pool: PrebuildPool = {
  organization_id: "o",
  organization_name: "default",
  template_id: "t",
  template_name: "demo",
  template_version_id: "v",
  template_version_name: "one",
  preset_id: "p",
  preset_name: "ready",
  active: true,
  desired: 3,
  running: 2,
  eligible: 1,
  starting: 1,
  claimed: 5,
  status: "healthy",
  backoff_until: null,
};

describe("the history of pools", () => {
  it("counts what runs and is not ready as building", () => {
    const [sample] = addSamples(new Map(), [pool], 10).get("p") ?? [];
    expect(sample).toEqual({ atMs: 10, desired: 3, ready: 1, building: 2, claimed: 5 });
  });

  it("takes one sample a moment, keeps an hour, and forgets pools that are gone", () => {
    let history: PoolHistory = new Map();
    for (let at = 0; at < maxSamples + 5; at += 1) {
      history = addSamples(history, [{ ...pool, claimed: at }], at);
      history = addSamples(history, [{ ...pool, claimed: at }], at);
    }
    const samples = history.get("p") ?? [];
    expect(samples).toHaveLength(maxSamples);
    expect(claimedSince(samples)).toBe(maxSamples - 1);
    expect(addSamples(history, [], 1000).size).toBe(0);
  });
});

describe("the chart", () => {
  const samples = [0, 10, 20].map((atMs) => ({
    atMs,
    desired: 4,
    ready: atMs / 10,
    building: 1,
    claimed: 0,
  }));

  it("spans its width by time, and its height by the largest count", () => {
    expect(largestCount(samples)).toBe(4);
    const size = { width: 100, height: 40 };
    expect(linePoints(samples, ({ ready }) => ready, 4, size)).toBe(
      "0.0,40.0 50.0,30.0 100.0,20.0",
    );
  });

  it("draws one sample as a level line, and none as nothing", () => {
    const size = { width: 100, height: 40 };
    expect(linePoints(samples.slice(0, 1), () => 2, 4, size)).toBe("0.0,20.0 100,20.0");
    expect(linePoints([], () => 2, 0, size)).toBe("");
  });
});
