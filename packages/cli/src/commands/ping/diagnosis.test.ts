import type { NetworkStatus } from "@slipway/sdk/workspace";
import { expect, it } from "vitest";

import { diagnose, diagnosisPairs } from "./diagnosis.ts";

const relay = { kind: "relay", regionId: 7, regionName: "Here" } as const;
const node = {
  name: "7a",
  hostName: "relay.test",
  certName: undefined,
  ipv4: undefined,
  ipv6: undefined,
  port: 443,
  isHttp: false,
  isInsecure: false,
  isStunOnly: false,
  stunPort: 3478,
};
const region = {
  regionId: 7,
  code: "here",
  name: "Here",
  isEmbedded: true,
  shouldAvoid: false,
  nodes: [node],
};
const status: NetworkStatus = {
  map: { regions: new Map([[7, region]]), scores: new Map() },
  homeRegionId: 7,
  relays: [],
  latencies: new Map([[7, { latencyMs: 12.34, family: "v4" }]]),
  udp: { hasIpv4: true, hasIpv6: false, doesMappingVary: false },
};
const agent = { latency: { There: { latency_ms: 3, preferred: true } } };

it("shows the relays of both sides, and no obstacle to a direct path", () => {
  const path = { kind: "direct", address: "192.0.2.1:5" } as const;
  const facts = { path, status, agent, agentUdp: "easy NAT", isDirectDisabled: false } as const;
  const diagnosis = diagnose(facts);
  expect(diagnosisPairs(diagnosis)).toEqual([
    ["Path", "direct via 192.0.2.1:5"],
    ["Your relay", "Here, 12.3 ms"],
    ["Its relay", "There, 3.00 ms"],
    ["UDP here", "works, and peers can reach the port that STUN sees"],
    ["UDP there", "works, and peers can reach the port that STUN sees"],
  ]);
});

const blocked = { hasIpv4: false, hasIpv6: false, doesMappingVary: undefined };
const hard = { hasIpv4: true, hasIpv6: false, doesMappingVary: true };

function pairsOf(facts: Partial<Parameters<typeof diagnose>[0]>): ReadonlyMap<string, string> {
  const plain = { path: relay, status, agent, agentUdp: undefined, isDirectDisabled: false };
  return new Map(diagnosisPairs(diagnose({ ...plain, ...facts })));
}

it.each([
  [true, status.udp, [node], "--disable-direct-connections is given"],
  [false, undefined, [node], "the server allows relays only"],
  [false, status.udp, [{ ...node, stunPort: undefined }], "the server names no STUN servers"],
  [false, blocked, [node], "UDP is blocked on this side"],
  [false, hard, [node], "your NAT gives each destination another port"],
  [false, status.udp, [node], "the workspace's side is not reachable over UDP"],
] as const)("says what keeps a connection from being direct (%#)", (flag, udp, nodes, problem) => {
  const map = { ...status.map, regions: new Map([[7, { ...region, nodes }]]) };
  const pairs = pairsOf({ status: { ...status, udp, map }, isDirectDisabled: flag });
  expect(pairs.get("Path")).toBe("through the relay Here");
  expect(pairs.get("Not direct")).toContain(problem);
  expect(pairs.get("UDP there")).toBe("unknown, the agent does not tell");
  expect(pairs.get("To do")).toMatch(/./);
});

it.each([
  ["blocked", "UDP is blocked on the workspace's side"],
  ["hard NAT", "the workspace's NAT gives each destination another port"],
  ["easy NAT", "UDP works on both sides"],
  ["open", "UDP works on both sides"],
] as const)("names the agent's side as it tells: %s", (agentUdp, problem) => {
  expect(pairsOf({ agentUdp }).get("Not direct")).toContain(problem);
});

it("names both sides where both are in the way", () => {
  const facts = { path: relay, agent, agentUdp: "hard NAT", isDirectDisabled: false } as const;
  const { obstacles } = diagnose({ ...facts, status: { ...status, udp: blocked } });
  expect(obstacles.map(({ problem }) => problem)).toEqual([
    "UDP is blocked on this side",
    "the workspace's NAT gives each destination another port",
  ]);
});
