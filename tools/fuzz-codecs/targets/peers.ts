import { readPeerNode } from "@slipway/tailnet/coordination/peer-node";
import {
  encodeNodeKey,
  formatDiscoKey,
  formatNodeKey,
  parseDiscoKey,
  parseEncodedNodeKey,
  parseNodeKey,
  IdentityError,
} from "@slipway/tailnet/identity/key";
import { stunServersOf } from "@slipway/tailnet/path/stun-servers";
import { formatUdpAddress, parseUdpAddress } from "@slipway/tailnet/path/udp-address";
import { readDerpMap, relayNodes, rewriteEmbedded, nodeUrl } from "@slipway/tailnet/relay/derp-map";
import { ProtobufError } from "@slipway/wire/protobuf/errors";
import type { DERPMap, Node } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { DERPMapSchema, NodeSchema } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { createMessage, encodeMessage, parseMessage } from "@slipway/wire/protobuf/message";

import { expectSame, expectThat, valueOf } from "../expectations.ts";
import { type FuzzTarget, textOf, utf8 } from "../target.ts";

const key = new Uint8Array(32).fill(9);
const address = "fd7a:115c:a1e0:4a7b:8c9d:e1f:2a3b:4c5d/128";

/** The messages of a coordinator about other peers and relays, and the texts in them. */
export const peersTarget: FuzzTarget = {
  name: "peers",
  maxBytes: 16 * 1024,
  maxMs: 100,
  words: [
    "np",
    "discokey:",
    "nodekey:",
    "/128",
    "[::1]:1",
    "192.0.2.1:41641",
    "none",
    "::",
    address,
  ],
  seeds: () => [
    ...[formatNodeKey(key), formatDiscoKey(key), "[2001:db8::1]:41641", "192.0.2.1:1"].map(utf8),
    encodeNodeKey(key),
    encodeMessage(NodeSchema, sampleNode()),
    encodeMessage(DERPMapSchema, sampleMap()),
  ],
  check: (input) => {
    const text = textOf(input);
    checkKeys(input, text);
    checkEndpoint(text);
    const node = valueOf((): Node => parseMessage(NodeSchema, input), ProtobufError);
    if (node !== undefined) checkNode(node);
    const map = valueOf((): DERPMap => parseMessage(DERPMapSchema, input), ProtobufError);
    if (map !== undefined) checkMap(map);
  },
};

function sampleNode(): Node {
  return createMessage(NodeSchema, {
    key: encodeNodeKey(key),
    disco: formatDiscoKey(key),
    preferredDerp: 999,
    addresses: [address],
    allowedIps: [address],
    endpoints: ["192.0.2.1:41641", "[2001:db8::1]:41641"],
  });
}

function sampleMap(): DERPMap {
  const node = { name: "999a", regionId: 999n, hostName: "relay.test", derpPort: 443, stunPort: 0 };
  const region = { regionId: 999n, embeddedRelay: true, regionCode: "here", nodes: [node] };
  return createMessage(DERPMapSchema, {
    regions: { 999: region },
    homeParams: { regionScore: { 999: 0.5 } },
  });
}

function checkKeys(bytes: Uint8Array, text: string): void {
  const encoded = valueOf(() => parseEncodedNodeKey(bytes), IdentityError);
  if (encoded !== undefined) expectSame("a key encoded again", encodeNodeKey(encoded), bytes);
  const node = valueOf(() => parseNodeKey(text), IdentityError);
  if (node !== undefined) expectSame("a node key", formatNodeKey(node), text.toLowerCase());
  const disco = valueOf(() => parseDiscoKey(text), IdentityError);
  if (disco !== undefined) expectSame("a disco key", formatDiscoKey(disco), text.toLowerCase());
}

function checkEndpoint(text: string): void {
  const parsed = parseUdpAddress(text);
  if (parsed === undefined) return;
  expectSame("an endpoint written and read", parseUdpAddress(formatUdpAddress(parsed)), parsed);
}

function checkNode(node: Node): void {
  const peer = readPeerNode(node);
  if (typeof peer === "string") return;
  expectThat(peer.nodeKey.length === 32 && peer.discoKey.length === 32, "keys have 32 bytes");
  expectThat(
    peer.allowedAddresses.every(({ length }) => length === 16),
    "addresses have 16 bytes",
  );
  expectThat(peer.allowedAddresses.length <= node.addresses.length, "no address is added");
  for (const endpoint of peer.endpoints) checkEndpoint(endpoint);
}

/** Checks that every relay of a map has a URL with the host and port that the map names. */
function checkMap(message: DERPMap): void {
  stunServersOf(message);
  const map = rewriteEmbedded(readDerpMap(message), "https://server.test");
  for (const node of [...map.regions.values()].flatMap(relayNodes)) {
    const url = valueOf(() => new URL(nodeUrl(node, "http", "/derp")), TypeError);
    if (url !== undefined) expectSame("the path of a relay", url.pathname, "/derp");
  }
}
