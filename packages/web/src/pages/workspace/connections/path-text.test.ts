import type { ConnectionPath } from "@slipway/api/agents/connection-path-routes";
import { expect, it } from "vitest";

import { pathText } from "./path-text.ts";

const path: ConnectionPath = {
  connection_id: "",
  kind: "direct",
  region: null,
  latency_ms: 3.2,
};

it.each([
  ["direct, 3 ms", path],
  ["by Slipway Relay, 12 ms", { ...path, kind: "relay", region: "Slipway Relay", latency_ms: 12 }],
  ["through the server, direct, 3 ms", { ...path, kind: "server" }],
  ["through the server, by East, 3 ms", { ...path, kind: "server", region: "East" }],
  ["through the server", { ...path, kind: "server", latency_ms: null }],
  ["unknown", undefined],
] as const)("says %s", (text, one) => {
  expect(pathText(one)).toBe(text);
});
