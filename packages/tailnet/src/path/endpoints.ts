import type { DatagramSocket } from "./datagram-socket.ts";
import {
  formatUdpAddress,
  isIpv6,
  isLoopback,
  isUsable,
  udpAddress,
  type UdpAddress,
} from "./udp-address.ts";

/** The number of published endpoints: those of NATs come first, since they are few and reach furthest. */
const maxEndpoints = 16;

/** Returns the addresses of this machine with the ports of the socket; loopback only if there are no others. */
export function localEndpoints(
  socket: Pick<DatagramSocket, "ports" | "localAddresses">,
): readonly UdpAddress[] {
  const { ipv4, ipv6 } = socket.ports;
  const all = socket
    .localAddresses()
    .map((address) => udpAddress(address, (isIpv6(address) ? ipv6 : ipv4) ?? 0))
    .filter((endpoint) => endpoint !== undefined && isUsable(endpoint.address))
    .filter((endpoint) => endpoint !== undefined);
  const others = all.filter(({ address }) => !isLoopback(address));
  return others.length > 0 ? others : all;
}

/** Returns the endpoints to publish, each once. */
export function joinEndpoints(
  mapped: readonly UdpAddress[],
  local: readonly UdpAddress[],
): readonly UdpAddress[] {
  const byText = new Map([...mapped, ...local].map((one) => [formatUdpAddress(one), one]));
  return [...byText.values()].slice(0, maxEndpoints);
}

/** Returns true if both lists have the same endpoints in the same order. */
export function areSameEndpoints(
  one: readonly UdpAddress[],
  other: readonly UdpAddress[],
): boolean {
  return one.map(formatUdpAddress).join() === other.map(formatUdpAddress).join();
}

/** Returns true if both lists have the same endpoints in any order. */
export function haveSameEndpoints(
  one: readonly UdpAddress[],
  other: readonly UdpAddress[],
): boolean {
  const known = new Set(one.map(formatUdpAddress));
  return one.length === other.length && other.every((each) => known.has(formatUdpAddress(each)));
}
