import { encodeHex } from "@slipway/wire/bytes/hex";
import type { MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import { NodeSchema } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { createMessage } from "@slipway/wire/protobuf/message";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { coordinationLimits } from "./limits.ts";
import { readPeerNode } from "./peer-node.ts";
import { nodeIdOf, SelfNode } from "./self-node.ts";

const address = "fd7a:115c:a1e0:4a7b:8c9d:e1f:2a3b:4c5d";
const prefix = `${address}/128`;
const keyBytes = new Uint8Array(32).fill(7);
const key = Uint8Array.of(0x6e, 0x70, ...keyBytes);
const disco = `discokey:${"a5".repeat(32)}`;

function read(changes: MessageInitShape<typeof NodeSchema> = {}) {
  const node = { key, disco, preferredDerp: 999, addresses: [prefix], allowedIps: [prefix] };
  return readPeerNode(createMessage(NodeSchema, { ...node, ...changes }));
}

/** Returns the addresses of a node in hex, or the reason to drop it. */
function addressesOf(changes: MessageInitShape<typeof NodeSchema>) {
  const node = read(changes);
  return typeof node === "string" ? node : node.allowedAddresses.map(encodeHex);
}

describe("readPeerNode", () => {
  it("reads a node, of which it keeps no view", () => {
    const bytes = Uint8Array.from(key);
    const node = read({ key: bytes, endpoints: ["192.0.2.1:41641"] });
    bytes.fill(0);
    expect(node).toEqual({
      nodeKey: keyBytes,
      discoKey: new Uint8Array(32).fill(0xa5),
      homeRegionId: 999,
      allowedAddresses: [Uint8Array.from(Buffer.from("fd7a115ca1e04a7b8c9d0e1f2a3b4c5d", "hex"))],
      endpoints: ["192.0.2.1:41641"],
    });
  });

  it.each([
    ["node key is malformed", { key: keyBytes }],
    ["node key is malformed", { key: Uint8Array.of(0x6e, 0x71, ...keyBytes) }],
    ["node key is malformed", { key: Uint8Array.of(0x6e, 0x70, ...new Uint8Array(32)) }],
    ["disco key is malformed", { disco: "" }],
    ["disco key is malformed", { disco: `nodekey:${"a5".repeat(32)}` }],
    ["disco key is malformed", { disco: `discokey:${"a5".repeat(31)}` }],
    ["disco key is malformed", { disco: `discokey:${"00".repeat(32)}` }],
    ["no home region (got 0, wanted 1 to 65535)", { preferredDerp: 0 }],
    ["no home region (got -1, wanted 1 to 65535)", { preferredDerp: -1 }],
    ["no home region (got 65536, wanted 1 to 65535)", { preferredDerp: 65_536 }],
    ["node has no address", { allowedIps: [] }],
  ])("drops a node with the reason %s", (reason, changes) => {
    expect(read(changes)).toBe(reason);
  });

  it("takes the allowed addresses that are addresses of the node, and no networks", () => {
    const one = "fd7a115ca1e04a7b8c9d0e1f2a3b4c5d";
    const spelled = ["FD7A:115C:A1E0:4A7B:8C9D:0E1F:2A3B:4C5D/128", prefix];
    expect(addressesOf({ allowedIps: spelled })).toEqual([one]);
    const others = [
      "fd7a::/16",
      "::/0",
      "0.0.0.0/0",
      "fd7a::1/128",
      "192.0.2.1/32",
      "x",
      `${address}%1/128`,
    ];
    expect(addressesOf({ allowedIps: [...others, prefix] })).toEqual([one]);
    expect(addressesOf({ allowedIps: ["::/0"], addresses: ["::/0"] })).toBe("node has no address");
  });

  it("takes no more of a list than its limit", () => {
    const { maxEndpoints, maxAddresses } = coordinationLimits;
    const many = Array.from({ length: 500 }, (_, at) => `fd7a::${at.toString(16)}/128`);
    const node = read({ endpoints: many, addresses: many, allowedIps: many });
    expect(node).toMatchObject({
      endpoints: { length: maxEndpoints },
      allowedAddresses: { length: maxAddresses },
    });
  });

  it("answers any text with a node or a reason", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 40 }),
        fc.string({ unit: "binary", maxLength: 90 }),
        fc.array(
          fc.oneof(fc.ipV6(), fc.string()).map((text) => `${text}/128`),
          { maxLength: 8 },
        ),
        (bytes, text, prefixes) => {
          const anything = { key: bytes, disco: text, addresses: prefixes, allowedIps: prefixes };
          expect(["string", "object"]).toContain(typeof read(anything));
          expect(Array.isArray(addressesOf({ addresses: prefixes, allowedIps: prefixes }))).toBe(
            prefixes.some(
              (one) => addressesOf({ addresses: [one], allowedIps: [one] }).length === 1,
            ),
          );
        },
      ),
    );
  });
});

describe("SelfNode", () => {
  const identity = {
    nodeId: nodeIdOf("f3a1c2d4-5e6f-4a7b-8c9d-0e1f2a3b4c5d"),
    nodeKey: keyBytes,
    discoKey: new Uint8Array(32).fill(0xa5),
    addresses: [Uint8Array.from(Buffer.from("fd7a115ca1e04a7b8c9d0e1f2a3b4c5d", "hex"))],
  };

  it("is read by another peer as it is", () => {
    const self = new SelfNode(identity);
    expect(self.change({ homeRegionId: 999, endpoints: ["192.0.2.1:1"] })).toBe(true);
    const node = self.at(1_767_225_600_000);
    expect(node).toMatchObject({
      id: 8_314_473_810_040_763_299n,
      asOf: { seconds: 1_767_225_600n },
      disco,
      preferredDerp: 999,
      addresses: [prefix],
      allowedIps: [prefix],
    });
    expect(node && readPeerNode(node)).toEqual({
      nodeKey: identity.nodeKey,
      discoKey: identity.discoKey,
      homeRegionId: 999,
      allowedAddresses: identity.addresses,
      endpoints: ["192.0.2.1:1"],
    });
  });

  it("is not published without a home region, nor again unless it differs", () => {
    const self = new SelfNode(identity);
    expect(self.change({ endpoints: ["192.0.2.1:1"] })).toBe(false);
    expect(self.at(0)).toBeUndefined();
    expect(self.change({ homeRegionId: 999, latencies: { "999-v4": 0.01 } })).toBe(true);
    expect(self.change({ latencies: { "999-v4": 0.02 } })).toBe(false);
    expect(self.at(0)?.derpLatency).toEqual({ "999-v4": 0.02 });
    expect(self.change({ latencies: { "999-v4": 0.02, "999-v6": 0.03 } })).toBe(true);
    expect(self.change({ endpoints: ["192.0.2.1:1"] })).toBe(false);
    expect(self.change({ forcedWebSockets: { 999: "404" } })).toBe(true);
    expect(self.change({ homeRegionId: 5 })).toBe(true);
  });
});
