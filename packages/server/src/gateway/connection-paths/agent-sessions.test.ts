import { expect, it } from "vitest";

import { parseAgentSessions } from "./agent-sessions.ts";

const id = "00000000-0000-4000-8000-000000000001";

it("parses sessions with a direct path, one by a relay, and none", () => {
  const connections = [
    { id, ip: "FD7A:0::1", type: "ssh", path: { kind: "direct", latency_ms: 1.5 } },
    { id, ip: "fd7a::2", path: { kind: "relay", region_id: 999, latency_ms: 20 } },
    { id, ip: "nowhere" },
  ];
  expect(parseAgentSessions({ connections })).toEqual([
    { id, address: "fd7a::1", path: { kind: "direct", latencyMs: 1.5 } },
    { id, address: "fd7a::2", path: { kind: "relay", regionId: 999, latencyMs: 20 } },
    { id, address: null, path: undefined },
  ]);
});

const path = { kind: "direct", latency_ms: 1 };

it.each([
  [null],
  [{}],
  [{ connections: {} }],
  [{ connections: [null] }],
  [{ connections: [{ ip: "fd7a::1" }] }],
  [{ connections: [{ id: "1", ip: "fd7a::1" }] }],
  [{ connections: [{ id }] }],
  [{ connections: [{ id, ip: "", path: null }] }],
  [{ connections: [{ id, ip: "", path: { ...path, latency_ms: -1 } }] }],
  [{ connections: [{ id, ip: "", path: { ...path, latency_ms: "1" } }] }],
  [{ connections: [{ id, ip: "", path: { ...path, kind: "relay" } }] }],
  [{ connections: [{ id, ip: "", path: { ...path, kind: "relay", region_id: 1.5 } }] }],
  [{ connections: [{ id, ip: "", path: { ...path, kind: "server" } }] }],
  [{ connections: Array.from({ length: 257 }, () => ({ id, ip: "" })) }],
])("refuses %j", (answer) => {
  expect(() => parseAgentSessions(answer)).toThrow(
    expect.objectContaining({ name: "Unreachable" }),
  );
});
