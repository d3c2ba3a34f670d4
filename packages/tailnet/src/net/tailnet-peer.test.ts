import { silentLogger, systemClock } from "@slipway/runtime";
import { expect, it, onTestFinished } from "vitest";

import { nobleCrypto } from "../crypto/noble-crypto.ts";
import { derpMapMessage } from "../relay/derp-map-message.ts";
import { RelayError } from "../relay/errors.ts";
import { TailnetPeer } from "./tailnet-peer.ts";

function mapAt(port: number): ReturnType<typeof derpMapMessage> {
  const node = { Name: "1a", RegionID: 1, HostName: "relay.invalid", DERPPort: port };
  const region = { EmbeddedRelay: false, RegionID: 1, RegionCode: "one", RegionName: "One" };
  return derpMapMessage({ Regions: { 1: { ...region, Nodes: [node] } } });
}

it("measures relays when a map is new, and not when the same one comes again", async () => {
  const measured: number[] = [];
  const peer = new TailnetPeer({
    role: "client",
    nodeId: 1n,
    addresses: [new Uint8Array(16).fill(0xfd)],
    serverUrl: "http://server.invalid",
    crypto: nobleCrypto,
    clock: systemClock,
    logger: silentLogger,
    random: Math.random,
    dialer: {
      canUpgrade: true,
      dial: () => Promise.reject(new RelayError("dns", "nobody is there")),
    },
    fetchLatency: async ({ port }) => {
      measured.push(port);
      return { latencyMs: 1, family: "v4" };
    },
    socket: undefined,
    forceWebSocket: false,
  });
  onTestFinished(() => peer.close());
  peer.setDerpMap(mapAt(443));
  await expect.poll(() => measured).toEqual([443]);
  peer.setDerpMap(mapAt(443));
  peer.setDerpMap(mapAt(444));
  await expect.poll(() => measured).toEqual([443, 444]);
});
