import { expect, it } from "vitest";

import { configurationOf, readMonitors } from "./resource-monitoring-rpc.ts";

it("reads the monitors of a build", () => {
  const json = {
    memoryThreshold: 90,
    volumes: [{ path: "/home", threshold: 80 }, { path: 1 }, null],
  };
  expect(readMonitors(json)).toEqual([
    { volume: undefined, threshold: 90 },
    { volume: "/home", threshold: 80 },
  ]);
  expect([{}, null, [], "x", { volumes: {} }].map(readMonitors)).toEqual([[], [], [], [], []]);
});

it("configures an agent without monitors, which crashes when it gets no configuration", () => {
  expect(configurationOf([])).toEqual({
    config: { numDatapoints: 20, collectionIntervalSeconds: 10 },
    volumes: [],
  });
});

it("names memory and volumes that are watched", () => {
  const monitors = [
    { volume: undefined, threshold: 90 },
    { volume: "/home", threshold: 80 },
  ];
  expect(configurationOf(monitors)).toMatchObject({
    memory: { enabled: true },
    volumes: [{ enabled: true, path: "/home" }],
  });
});
