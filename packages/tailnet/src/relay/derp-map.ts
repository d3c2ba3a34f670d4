import type {
  DERPMap,
  DERPMap_Region,
  DERPMap_Region_Node,
} from "@slipway/wire/protobuf/gen/tailnet_pb";

import { maxNodesPerRegion, maxRegions } from "./limits.ts";

/** One server of a region (docs/protocol/tailnet.md §3.1). */
export interface DerpNode {
  readonly name: string;
  /** A name, or an address without brackets. */
  readonly hostName: string;
  /** The name required in the certificate; undefined for `hostName`. */
  readonly certName: string | undefined;
  /** The address to use without a lookup; any other text, such as `none`, disables the family. */
  readonly ipv4: string | undefined;
  readonly ipv6: string | undefined;
  readonly port: number;
  readonly isHttp: boolean;
  /** True if certificates are not verified. */
  readonly isInsecure: boolean;
  readonly isStunOnly: boolean;
  /** The UDP port of STUN; undefined if there is none. */
  readonly stunPort: number | undefined;
}

/** Relays that reach each other's clients. */
export interface DerpRegion {
  readonly regionId: number;
  readonly code: string;
  readonly name: string;
  /** True if the relay is the server itself, reached as this peer reaches the server. */
  readonly isEmbedded: boolean;
  readonly shouldAvoid: boolean;
  readonly nodes: readonly DerpNode[];
}

export interface DerpMap {
  readonly regions: ReadonlyMap<number, DerpRegion>;
  /** Factors of the measured latencies, by region (docs/protocol/tailnet.md §2.7). */
  readonly scores: ReadonlyMap<number, number>;
}

export const emptyDerpMap: DerpMap = { regions: new Map(), scores: new Map() };

/** A region travels as a port number in a node (docs/protocol/tailnet.md §2.1). */
const maxRegionId = 65_535;
const maxPort = 65_535;
const defaultDerpPort = 443;
const defaultStunPort = 3478;

/** Reads a map from its message. Entries that no peer could use, or beyond the bounds, are left out. */
export function readDerpMap(message: DERPMap): DerpMap {
  const regions = new Map<number, DerpRegion>();
  for (const region of Object.values(message.regions)) {
    const regionId = Number(region.regionId);
    if (regionId < 1 || regionId > maxRegionId || regions.size >= maxRegions) continue;
    regions.set(regionId, readRegion(regionId, region));
  }
  const scores = new Map<number, number>();
  for (const [id, score] of Object.entries(message.homeParams?.regionScore ?? {})) {
    if (score > 0 && regions.has(Number(id))) scores.set(Number(id), score);
  }
  return { regions, scores };
}

function readRegion(regionId: number, region: DERPMap_Region): DerpRegion {
  return {
    regionId,
    code: region.regionCode,
    name: region.regionName,
    isEmbedded: region.embeddedRelay,
    shouldAvoid: region.avoid,
    nodes: region.nodes.filter(isUsable).slice(0, maxNodesPerRegion).map(readNode),
  };
}

/** A name must fit into a URL. */
function isUsable({ hostName, derpPort, stunPort }: DERPMap_Region_Node): boolean {
  const isHost = /^[\w.:%-]{1,255}$/.test(hostName);
  return isHost && derpPort >= 0 && derpPort <= maxPort && stunPort <= maxPort;
}

function readNode(node: DERPMap_Region_Node): DerpNode {
  return {
    name: node.name,
    hostName: node.hostName,
    certName: node.certName || undefined,
    ipv4: node.ipv4 || undefined,
    ipv6: node.ipv6 || undefined,
    port: node.derpPort || defaultDerpPort,
    isHttp: node.forceHttp,
    isInsecure: node.insecureForTests,
    isStunOnly: node.stunOnly,
    stunPort: node.stunPort < 0 ? undefined : node.stunPort || defaultStunPort,
  };
}

/** Returns the map with this peer's own URL of the server for embedded relays (docs/protocol/tailnet.md §3.3). */
export function rewriteEmbedded(map: DerpMap, serverUrl: string): DerpMap {
  const { protocol, hostname, port } = new URL(serverUrl);
  const isHttp = protocol === "http:";
  const place = {
    hostName: hostname.replace(/^\[|\]$/g, ""),
    port: Number(port) || (isHttp ? 80 : 443),
    isHttp,
  };
  const regions = new Map<number, DerpRegion>();
  for (const [id, region] of map.regions) {
    const nodes = region.nodes.map((node) => (node.isStunOnly ? node : { ...node, ...place }));
    regions.set(id, region.isEmbedded ? { ...region, nodes } : region);
  }
  return { regions, scores: map.scores };
}

/** Returns the nodes of a region that relay packets. */
export function relayNodes(region: DerpRegion): readonly DerpNode[] {
  return region.nodes.filter(({ isStunOnly }) => !isStunOnly);
}

/** Returns whether two definitions of a region are equal, regardless of the order of their nodes. */
export function isSameRegion(one: DerpRegion, other: DerpRegion): boolean {
  return describeRegion(one) === describeRegion(other);
}

function describeRegion(region: DerpRegion): string {
  const nodes = region.nodes.map((node) => describe(node)).toSorted();
  return describe({ ...region, nodes });
}

function describe(value: object): string {
  return JSON.stringify(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Returns the address of a path on a node, by HTTP or by WebSocket. */
export function nodeUrl(node: DerpNode, scheme: "http" | "ws", path: string): string {
  const host = node.hostName.includes(":") ? `[${node.hostName}]` : node.hostName;
  return `${scheme}${node.isHttp ? "" : "s"}://${host}:${String(node.port)}${path}`;
}
