import { readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";

import type { NetworkStatus } from "@slipway/tailnet/net/network-status";
import { derpLatencies } from "@slipway/tailnet/relay/region-latency";

/** A smaller MTU causes a warning, since nested tunnels need more (docs/protocol/agent.md §8.9). */
const minMtu = 1378;

/** Resolves to the report on the agent's network, as JSON (docs/protocol/agent.md §8.9). */
export async function netcheckReport(status: NetworkStatus): Promise<object> {
  const interfaces = await Promise.all(Object.entries(networkInterfaces()).map(describe));
  const isSmall = interfaces.some(({ mtu }) => mtu > 0 && mtu < minMtu);
  const severity = isSmall ? "warning" : "ok";
  const common = { severity, warnings: null, dismissed: false };
  return {
    ...common,
    net_info: netInfo(status),
    interfaces: { ...common, interfaces },
  };
}

/** The keys are those of the wire format. */
function netInfo({ udp, homeRegionId = 0, latencies }: NetworkStatus): object {
  return {
    MappingVariesByDestIP: udp?.doesMappingVary ?? null,
    HairPinning: null,
    WorkingIPv6: udp?.hasIpv6 ?? false,
    OSHasIPv6: hasIpv6(),
    WorkingUDP: udp !== undefined && (udp.hasIpv4 || udp.hasIpv6),
    WorkingICMPv4: null,
    UPnP: null,
    PMP: null,
    PCP: null,
    PreferredDERP: homeRegionId,
    DERPLatency: derpLatencies(latencies),
  };
}

function hasIpv6(): boolean {
  return Object.values(networkInterfaces()).some((addresses = []) =>
    addresses.some(({ family, internal }) => family === "IPv6" && !internal),
  );
}

async function describe([name, addresses = []]: readonly [
  string,
  readonly { readonly cidr: string | null }[] | undefined,
]): Promise<{ readonly name: string; readonly mtu: number; readonly addresses: string[] }> {
  return {
    name,
    mtu: await readMtu(name),
    addresses: addresses.flatMap(({ cidr }) => cidr ?? []),
  };
}

/** Resolves to 0 if the system does not report it. */
async function readMtu(name: string): Promise<number> {
  try {
    return Number(await readFile(`/sys/class/net/${name}/mtu`, "utf8"));
  } catch {
    return 0;
  }
}
