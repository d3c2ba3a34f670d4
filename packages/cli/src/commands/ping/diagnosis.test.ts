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
  const diagnosis = diagnose({ path, status, agent, isDirectDisabled: false });
  expect(diagnosisPairs(diagnosis)).toEqual([
    ["Path", "direct via 192.0.2.1:5"],
    ["Your relay", "Here, 12.3 ms"],
    ["Its relay", "There, 3.00 ms"],
    ["UDP here", "works, and peers can reach the port that STUN sees"],
  ]);
});

it.each([
  [true, status.udp, [node], "--disable-direct-connections is given"],
  [false, undefined, [node], "the server allows relays only"],
  [false, status.udp, [{ ...node, stunPort: undefined }], "the server names no STUN servers"],
  [
    false,
    { hasIpv4: false, hasIpv6: false, doesMappingVary: undefined },
    [node],
    "UDP is blocked on this side",
  ],
  [
    false,
    { hasIpv4: true, hasIpv6: false, doesMappingVary: true },
    [node],
    "your NAT gives each destination another port",
  ],
  [false, status.udp, [node], "the workspace's side is not reachable over UDP"],
] as const)("says what keeps a connection from being direct (%#)", (flag, udp, nodes, problem) => {
  const map = { ...status.map, regions: new Map([[7, { ...region, nodes }]]) };
  const facts = { path: relay, status: { ...status, udp, map }, agent, isDirectDisabled: flag };
  const pairs = new Map(diagnosisPairs(diagnose(facts)));
  expect(pairs.get("Path")).toBe("through the relay Here");
  expect(pairs.get("Not direct")).toContain(problem);
  expect(pairs.get("To do")).toMatch(/./);
});
