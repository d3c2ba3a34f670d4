import type { DerpMap } from "@slipway/api";
import type { DERPMapSchema, MessageInitShape } from "@slipway/wire";

/** Returns the relays as they are now. */
export type ReadDerpMap = () => DerpMap;

/** The number of the region that this deployment's relay is (docs/protocol/tailnet.md §3.2). */
const regionId = 999;
/** The port of a node without STUN. */
const noStunPort = -1;

/**
 * Returns the map whose one region is this server's relay at the access URL. Clients replace host and port by those of
 * their own URL of the server (docs/protocol/tailnet.md §3.3).
 */
export function relayMap(accessUrl: string, stunPort: number | undefined): DerpMap {
  const { protocol, hostname, port } = new URL(accessUrl);
  const isHttp = protocol === "http:";
  const node = {
    Name: `${regionId}b`,
    RegionID: regionId,
    HostName: hostname.replace(/^\[|\]$/g, ""),
    STUNPort: stunPort ?? noStunPort,
    DERPPort: Number(port) || (isHttp ? 80 : 443),
    ...(isHttp ? { ForceHTTP: true } : {}),
  };
  return {
    Regions: {
      [regionId]: {
        EmbeddedRelay: true,
        RegionID: regionId,
        RegionCode: "slipway",
        RegionName: "Slipway Relay",
        Nodes: [node],
      },
    },
  };
}

/** Encodes a map for agents; without `homeParams` a stock peer crashes (docs/protocol/rpc.md §6.1). */
export function derpMapMessage({ Regions }: DerpMap): MessageInitShape<typeof DERPMapSchema> {
  const regions = Object.entries(Regions).map(([id, region]) => [
    id,
    {
      regionId: BigInt(region.RegionID),
      embeddedRelay: region.EmbeddedRelay,
      regionCode: region.RegionCode,
      regionName: region.RegionName,
      nodes: region.Nodes.map((node) => ({
        name: node.Name,
        regionId: BigInt(node.RegionID),
        hostName: node.HostName,
        stunPort: node.STUNPort ?? 0,
        derpPort: node.DERPPort ?? 0,
        forceHttp: node.ForceHTTP ?? false,
      })),
    },
  ]);
  return { homeParams: {}, regions: Object.fromEntries(regions) };
}
