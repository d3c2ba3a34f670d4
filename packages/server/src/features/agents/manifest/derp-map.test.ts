import { setImmediate as settled } from "node:timers/promises";

import { derpMapMessage } from "@slipway/tailnet/relay/derp-map-message";
import { encodeHex } from "@slipway/wire/bytes/hex";
import { DERPMapSchema } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { encodeMessage } from "@slipway/wire/protobuf/message";
import { expect, it } from "vitest";

import { readRelayMap, relayMap, sharedDerpMapMessage, streamDerpMaps } from "./derp-map.ts";

it.each([
  ["https://slipway.example", { HostName: "slipway.example", DERPPort: 443 }],
  ["http://slipway.example", { HostName: "slipway.example", DERPPort: 80, ForceHTTP: true }],
  ["http://127.0.0.1:3000", { HostName: "127.0.0.1", DERPPort: 3000, ForceHTTP: true }],
  ["https://[::1]:8443", { HostName: "::1", DERPPort: 8443 }],
])("names the relay at %s", (url, node) => {
  const { Regions } = relayMap(url, undefined);
  expect(Object.keys(Regions)).toEqual(["999"]);
  expect(Regions["999"]).toMatchObject({ EmbeddedRelay: true, RegionID: 999 });
  expect(Regions["999"]?.Nodes).toEqual([{ Name: "999b", RegionID: 999, STUNPort: -1, ...node }]);
});

it("names the port of STUN if the server listens on one", () => {
  expect(relayMap("http://h:3000", 3000).Regions["999"]?.Nodes[0]?.STUNPort).toBe(3000);
});

it("encodes the map of docs/protocol/tailnet.md §3.2", () => {
  const { Regions } = relayMap("https://coder.example.com", undefined);
  const region = Regions["999"];
  if (region === undefined) throw new Error("no region");
  const named = { ...region, RegionCode: "coder", RegionName: "Coder Embedded Relay" };
  const message = derpMapMessage({ Regions: { 999: named } });
  expect(encodeHex(encodeMessage(DERPMapSchema, message))).toBe(
    "0a00125308e707124e08e70710011a05636f6465722214436f64657220456d6265646465642052656c6179" +
      "322a0a043939396210e7071a11636f6465722e6578616d706c652e636f6d38ffffffffffffffffff0148bb03",
  );
});

it("shares one map and one message until the address or the port of STUN changes", () => {
  let url = "http://h:1";
  let port: number | undefined;
  const read = readRelayMap(
    () => url,
    () => port,
  );
  const map = read();
  const message = sharedDerpMapMessage(map);
  expect(read()).toBe(map);
  expect(sharedDerpMapMessage(read())).toBe(message);
  port = 3478;
  expect(read().Regions["999"]?.Nodes[0]?.STUNPort).toBe(3478);
  url = "http://other:1";
  expect(read().Regions["999"]?.Nodes[0]?.HostName).toBe("other");
  expect(sharedDerpMapMessage(read())).not.toBe(message);
});

it("sends one map with home parameters and stays open until the caller leaves", async () => {
  const caller = new AbortController();
  const maps = streamDerpMaps(() => relayMap("http://h:1", undefined), caller.signal);
  expect(await maps.next()).toMatchObject({
    done: false,
    value: { homeParams: {}, regions: { 999: { regionId: 999n } } },
  });
  let isOver = false;
  const next = maps.next().finally(() => (isOver = true));
  await settled();
  expect(isOver).toBe(false);
  caller.abort();
  expect(await next).toEqual({ done: true, value: undefined });
});
