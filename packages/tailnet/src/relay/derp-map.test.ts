import type { MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import { DERPMapSchema } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { createMessage } from "@slipway/wire/protobuf/message";
import { expect, it } from "vitest";

import { nodeAt, regionOf } from "../../tests/support/regions.ts";
import { isSameRegion, nodeUrl, readDerpMap, relayNodes, rewriteEmbedded } from "./derp-map.ts";

type Message = MessageInitShape<typeof DERPMapSchema>;

const message: Message = {
  homeParams: { regionScore: { 999: 0.5, 1000: -1, 7: 2 } },
  regions: {
    999: {
      regionId: 999n,
      embeddedRelay: true,
      regionCode: "slipway",
      regionName: "Slipway Relay",
      nodes: [{ name: "999b", regionId: 999n, hostName: "served.example.com", stunPort: -1 }],
    },
    1000: {
      regionId: 1000n,
      nodes: [{ name: "s", regionId: 1000n, hostName: "stun.example.com", stunOnly: true }],
    },
  },
};

it("reads a map, with the ports that are left out", () => {
  const { regions, scores } = readDerpMap(createMessage(DERPMapSchema, message));
  expect([...regions.keys()]).toEqual([999, 1000]);
  expect(regions.get(999)).toEqual({
    ...regionOf(999, {
      ...nodeAt(443, { name: "999b", hostName: "served.example.com", isHttp: false }),
    }),
    code: "slipway",
    name: "Slipway Relay",
    isEmbedded: true,
  });
  const stun = regions.get(1000);
  expect(stun?.nodes[0]).toMatchObject({ stunPort: 3478, isStunOnly: true });
  expect(stun && relayNodes(stun)).toEqual([]);
  // A score below zero does not count, nor does the score of a missing region.
  expect([...scores]).toEqual([[999, 0.5]]);
});

it("leaves out what no peer could use, and what is beyond the bounds", () => {
  const bad = [
    { hostName: "", derpPort: 1 },
    { hostName: "a/b", derpPort: 1 },
    { hostName: "user@host", derpPort: 1 },
    { hostName: "host", derpPort: 70_000 },
    { hostName: "host", derpPort: -1 },
    { hostName: "host", stunPort: 70_000 },
  ];
  const many = Array.from({ length: 100 }, () => ({ hostName: "host" }));
  const far = Array.from({ length: 2_000 }, (_, at) => [
    10_000 + at,
    { regionId: 10_000n + BigInt(at) },
  ]);
  const map = readDerpMap(
    createMessage(DERPMapSchema, {
      regions: {
        1: { regionId: 1n, nodes: bad },
        2: { regionId: 2n, nodes: many },
        3: { regionId: 0n },
        4: { regionId: 65_536n },
        ...Object.fromEntries(far),
      },
    }),
  );
  expect([map.regions.get(1)?.nodes, map.regions.get(2)?.nodes.length]).toEqual([[], 64]);
  expect([map.regions.has(0), map.regions.has(65_536), map.regions.size]).toEqual([
    false,
    false,
    1_024,
  ]);
});

it.each([
  ["https://slipway.example.com", "slipway.example.com", 443, false],
  ["https://slipway.example.com:8443/", "slipway.example.com", 8443, false],
  ["http://10.0.0.1", "10.0.0.1", 80, true],
  ["http://[::1]:3000", "::1", 3000, true],
])("reaches embedded relays at the peer's own URL %s", (url, hostName, port, isHttp) => {
  const map = rewriteEmbedded(readDerpMap(createMessage(DERPMapSchema, message)), url);
  expect(map.regions.get(999)?.nodes).toMatchObject([{ hostName, port, isHttp }]);
  expect(map.regions.get(1000)?.nodes).toMatchObject([{ hostName: "stun.example.com" }]);
});

it("compares regions without the order of their nodes", () => {
  const [one, other] = [nodeAt(1), nodeAt(2)];
  expect(isSameRegion(regionOf(1, one, other), regionOf(1, other, one))).toBe(true);
  expect(isSameRegion(regionOf(1, one), regionOf(1, other))).toBe(false);
  expect(isSameRegion(regionOf(1, one), { ...regionOf(1, one), isEmbedded: true })).toBe(false);
});

it("makes addresses of nodes", () => {
  expect(nodeUrl(nodeAt(80), "http", "/derp")).toBe("http://127.0.0.1:80/derp");
  expect(nodeUrl(nodeAt(1, { hostName: "::1", isHttp: false }), "ws", "/derp")).toBe(
    "wss://[::1]:1/derp",
  );
});
