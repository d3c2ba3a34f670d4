import type { DERPMap } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { DERPMapSchema } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { createMessage } from "@slipway/wire/protobuf/message";

interface RelayNodeJson {
  readonly Name: string;
  readonly RegionID: number;
  readonly HostName: string;
  readonly CertName?: string;
  readonly IPv4?: string;
  readonly IPv6?: string;
  readonly STUNPort?: number;
  readonly STUNOnly?: boolean;
  readonly DERPPort?: number;
  readonly InsecureForTests?: boolean;
  readonly ForceHTTP?: boolean;
  readonly STUNTestIP?: string;
  readonly CanPort80?: boolean;
}

/** A map in JSON, with the field names of the wire (docs/protocol/rest.md §6.7). */
export interface DerpMapJson {
  readonly HomeParams?: { readonly RegionScore?: Readonly<Record<string, number>> };
  readonly Regions: Readonly<
    Record<
      string,
      {
        readonly EmbeddedRelay: boolean;
        readonly RegionID: number;
        readonly RegionCode: string;
        readonly RegionName: string;
        readonly Avoid?: boolean;
        readonly Nodes: readonly RelayNodeJson[];
      }
    >
  >;
}

/**
 * Returns the message of a map in JSON (docs/protocol/tailnet.md §3.1). It always has `homeParams`, without which a stock peer
 * crashes (docs/protocol/rpc.md §6.1).
 */
export function derpMapMessage({ Regions, HomeParams }: DerpMapJson): DERPMap {
  const regions = Object.values(Regions).map((region) => [
    region.RegionID,
    {
      regionId: BigInt(region.RegionID),
      embeddedRelay: region.EmbeddedRelay,
      regionCode: region.RegionCode,
      regionName: region.RegionName,
      avoid: region.Avoid ?? false,
      nodes: region.Nodes.map(nodeFields),
    },
  ]);
  return createMessage(DERPMapSchema, {
    homeParams: { regionScore: { ...HomeParams?.RegionScore } },
    regions: Object.fromEntries(regions),
  });
}

function nodeFields(node: RelayNodeJson): Record<string, string | number | bigint | boolean> {
  return {
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
  };
}
