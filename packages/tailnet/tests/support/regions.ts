import type { DerpMap, DerpNode, DerpRegion } from "../../src/relay/derp-map.ts";

/** Returns a node on a port of this machine. */
export function nodeAt(port: number, changes: Partial<DerpNode> = {}): DerpNode {
  return {
    name: `node-${port}`,
    hostName: "127.0.0.1",
    certName: undefined,
    ipv4: undefined,
    ipv6: undefined,
    port,
    isHttp: true,
    isInsecure: false,
    isStunOnly: false,
    stunPort: undefined,
    ...changes,
  };
}

export function regionOf(regionId: number, ...nodes: readonly DerpNode[]): DerpRegion {
  return {
    regionId,
    code: `code-${regionId}`,
    name: `Region ${regionId}`,
    isEmbedded: false,
    shouldAvoid: false,
    nodes,
  };
}

export function mapOf(...regions: readonly DerpRegion[]): DerpMap {
  return {
    regions: new Map(regions.map((region) => [region.regionId, region])),
    scores: new Map(),
  };
}
