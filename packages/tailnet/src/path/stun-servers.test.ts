import { DERPMapSchema } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { encodeMessage, parseMessage } from "@slipway/wire/protobuf/message";
import { expect, it } from "vitest";

import { resolveStunServers, stunServersOf } from "./stun-servers.ts";

const names: Readonly<Record<string, readonly string[]>> = {
  "stun.example.com": ["2a00::1", "20.0.0.1", "20.0.0.2"],
};
const lookup = async (name: string): Promise<readonly string[]> => names[name] ?? [];

it("finds the servers of a DERP map", () => {
  const bytes = encodeMessage(DERPMapSchema, {
    homeParams: {},
    regions: {
      1: {
        nodes: [{ hostName: "relay.example.com", stunPort: -1 }, { hostName: "a.example.com" }],
      },
      2: { nodes: [{ hostName: "b.example.com", stunPort: 19_302, ipv4: "none" }] },
      3: { nodes: [{ hostName: "c.example.com", ipv6: "2a00::2", stunTestIp: "127.0.0.1" }] },
    },
  });
  expect(stunServersOf(parseMessage(DERPMapSchema, bytes))).toEqual([
    { hostName: "a.example.com", port: 3478, ipv4: "", ipv6: "" },
    { hostName: "b.example.com", port: 19_302, ipv4: "none", ipv6: "" },
    { hostName: "127.0.0.1", port: 3478, ipv4: "", ipv6: "" },
  ]);
});

it.each([
  ["a name", { hostName: "stun.example.com", ipv4: "", ipv6: "" }, ["20.0.0.1", "2a00::1"]],
  ["an unknown name", { hostName: "absent.example.com", ipv4: "", ipv6: "" }, []],
  ["an address as name", { hostName: "20.0.0.9", ipv4: "", ipv6: "" }, ["20.0.0.9"]],
  [
    "an address for one family",
    { hostName: "stun.example.com", ipv4: "20.0.0.9", ipv6: "" },
    ["20.0.0.9", "2a00::1"],
  ],
  ["a family turned off", { hostName: "stun.example.com", ipv4: "none", ipv6: "" }, ["2a00::1"]],
  [
    "addresses only",
    { hostName: "absent.example.com", ipv4: "20.0.0.9", ipv6: "none" },
    ["20.0.0.9"],
  ],
] as const)("resolves %s", async (_, server, expected) => {
  const addresses = await resolveStunServers([{ ...server, port: 5 }], lookup);
  expect(addresses).toEqual(expected.map((address) => ({ address, port: 5 })));
});

it("resolves a bounded number of servers", async () => {
  const servers = Array.from({ length: 50 }, () => ({
    hostName: "20.0.0.9",
    port: 5,
    ipv4: "",
    ipv6: "none",
  }));
  expect(await resolveStunServers(servers, lookup)).toHaveLength(6);
});
