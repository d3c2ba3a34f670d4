import { expect, it } from "vitest";

import { relayMap } from "../../features/agents/manifest/derp-map.ts";
import { agentLatency } from "./agent-peer.ts";

const map = relayMap("https://slipway.example.com", undefined);

it("names regions, and says which one the agent prefers", () => {
  const derpLatency = { "999-v4": 0.25, "7-v6": 0.5 };
  expect(agentLatency({ derpLatency, preferredDerp: 999 }, map)).toEqual({
    "Slipway Relay": { preferred: true, latency_ms: 250 },
    "Unnamed 7": { preferred: false, latency_ms: 500 },
  });
});

it("takes the faster of two families", () => {
  const derpLatency = { "999-v4": 0.5, "999-v6": 0.25 };
  expect(agentLatency({ derpLatency, preferredDerp: 1 }, map)).toEqual({
    "Slipway Relay": { preferred: false, latency_ms: 250 },
  });
});

it("leaves out what is no region or no time", () => {
  const derpLatency = {
    "x-v4": 1,
    "": 1,
    "1": Number.NaN,
    "2-v4": Number.POSITIVE_INFINITY,
    "3-v4": -1,
  };
  expect(agentLatency({ derpLatency, preferredDerp: 1 }, map)).toEqual({});
  const many = Object.fromEntries(Array.from({ length: 1024 }, (_, id) => [`${id + 1}-v4`, 1]));
  const latency = agentLatency({ derpLatency: many, preferredDerp: 1 }, map);
  expect(Object.keys(latency)).toHaveLength(64);
});
