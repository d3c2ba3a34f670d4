import type { DerpMap } from "@slipway/api";

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
