import type { DERPMap } from "@slipway/wire/protobuf/gen/tailnet_pb";

import { isIpv6, udpAddress, type UdpAddress } from "./udp-address.ts";

/** The port of a server whose description names none (docs/protocol/tailnet.md §3.1). */
const defaultPort = 3478;

/** The number of servers to resolve; one round does not ask more. */
const maxServers = 6;

/** A STUN server. An address in place of its name is used without DNS; any other text disables that family. */
export interface StunServer {
  readonly hostName: string;
  readonly port: number;
  readonly ipv4: string;
  readonly ipv6: string;
}

/** Returns the STUN servers of a DERP map, region by region. */
export function stunServersOf(map: DERPMap): readonly StunServer[] {
  return Object.values(map.regions).flatMap(({ nodes }) =>
    nodes
      .filter(({ stunPort }) => stunPort >= 0)
      .map(({ hostName, ipv4, ipv6, stunPort, stunTestIp }) => ({
        hostName: stunTestIp === "" ? hostName : stunTestIp,
        port: stunPort === 0 ? defaultPort : stunPort,
        ipv4: stunTestIp === "" ? ipv4 : "",
        ipv6: stunTestIp === "" ? ipv6 : "",
      })),
  );
}

/** Resolves servers to one address of each family. Names that cannot be resolved are left out. */
export async function resolveStunServers(
  servers: readonly StunServer[],
  lookup: (hostName: string) => Promise<readonly string[]>,
): Promise<readonly UdpAddress[]> {
  const found = await Promise.all(
    servers.slice(0, maxServers).map((server) => resolveServer(server, lookup)),
  );
  return found.flat();
}

async function resolveServer(
  { hostName, port, ipv4, ipv6 }: StunServer,
  lookup: (hostName: string) => Promise<readonly string[]>,
): Promise<readonly UdpAddress[]> {
  const isNamed = ipv4 === "" || ipv6 === "";
  const literal = udpAddress(hostName, port);
  const resolved = literal === undefined && isNamed ? await lookup(hostName) : [hostName];
  const first = (isWanted: (address: string) => boolean): string => resolved.find(isWanted) ?? "";
  const texts = [
    ipv4 === "" ? first((address) => !isIpv6(address)) : ipv4,
    ipv6 === "" ? first(isIpv6) : ipv6,
  ];
  return texts.map((text) => udpAddress(text, port)).filter((address) => address !== undefined);
}
