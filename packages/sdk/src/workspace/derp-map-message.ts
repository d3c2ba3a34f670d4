import type { DerpMap } from "@slipway/api";
import { createMessage, type DERPMap, DERPMapSchema } from "@slipway/wire";

/** Returns the message of a map in JSON (docs/protocol/tailnet.md §3.1). */
export function derpMapMessage({ Regions, HomeParams }: DerpMap): DERPMap {
  const regions = Object.values(Regions).map((region) => [
    region.RegionID,
    {
      regionId: BigInt(region.RegionID),
      embeddedRelay: region.EmbeddedRelay,
      regionCode: region.RegionCode,
      regionName: region.RegionName,
      avoid: region.Avoid ?? false,
      nodes: region.Nodes.map((node) => ({
        name: node.Name,
        regionId: BigInt(node.RegionID),
        hostName: node.HostName,
        certName: node.CertName ?? "",
        ipv4: node.IPv4 ?? "",
        ipv6: node.IPv6 ?? "",
        stunPort: node.STUNPort ?? 0,
        stunOnly: node.STUNOnly ?? false,
        derpPort: node.DERPPort ?? 0,
        insecureForTests: node.InsecureForTests ?? false,
        forceHttp: node.ForceHTTP ?? false,
        stunTestIp: node.STUNTestIP ?? "",
        canPort80: node.CanPort80 ?? false,
      })),
    },
  ]);
  return createMessage(DERPMapSchema, {
    homeParams: { regionScore: { ...HomeParams?.RegionScore } },
    regions: Object.fromEntries(regions),
  });
}
